-- What every command uses. All keys have one hash tag, so that a cluster keeps them in one slot.
local PREFIX = '{voice-agent}:'
local commands = {}

local function key(kind, id)
    return id and PREFIX .. kind .. ':' .. id or PREFIX .. kind
end

-- One clock for all hosts: seconds since the epoch.
local function server_time()
    local time = redis.call('TIME')
    return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function as_text(seconds)
    return string.format('%.6f', seconds)
end

local function next_position()
    return redis.call('INCR', key('position'))
end

-- False when this request was carried out before: its answer was lost, and it came again.
local function is_first(request)
    return redis.call('SET', key('request', request), '1', 'NX', 'EX', '60') ~= false
end

local function append_all(list, values)
    for _, value in ipairs(values) do
        list[#list + 1] = value
    end
end
