-- What calls have left undelivered, in order; see left.py beside the SQLite journal. `carried` says which process brings
-- the turns of a call, `claims` which one brings what is left in a conversation.

local carried = {}

local function is_carried(call)
    if call == '' then
        return false
    end
    if carried[call] == nil then
        local process = redis.call('HGET', key('carried'), call)
        carried[call] = process ~= false and is_alive(process)
    end
    return carried[call]
end

-- Up to the first turn that a living call is still bringing.
local function left_in(conversation)
    local lines = {}
    for _, id in ipairs(redis.call('ZRANGE', key('waiting', conversation), 0, -1)) do
        local turn = redis.call('HMGET', key('turn', id), 'call', 'line', 'given_up_at')
        if not is_carried(turn[1]) then
            lines[#lines + 1] = turn[2]
        elseif not turn[3] then
            break
        end
    end
    return lines
end

-- Of what was said before a call's first turn; nil while another living call brings some of it.
local function left_before(conversation, call)
    local first = redis.call('ZRANGE', key('turns_of_call', call), 0, 0, 'WITHSCORES')[2]
    local last = first and '(' .. first or '+inf'
    local lines = {}
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('waiting', conversation), '-inf', last)) do
        local turn = redis.call('HMGET', key('turn', id), 'call', 'line', 'given_up_at')
        if turn[1] ~= call and not turn[3] then
            if is_carried(turn[1]) then
                return nil
            end
            lines[#lines + 1] = turn[2]
        end
    end
    return lines
end

-- The position of the first turn that is left, if there is one to bring.
local function first_left(conversation)
    local waiting = redis.call('ZRANGE', key('waiting', conversation), 0, -1, 'WITHSCORES')
    for i = 1, #waiting, 2 do
        local turn = redis.call('HMGET', key('turn', waiting[i]), 'call', 'given_up_at')
        if not is_carried(turn[1]) then
            return tonumber(waiting[i + 1])
        elseif not turn[2] then
            return nil
        end
    end
end

function commands.pending(conversation)
    feel_pulse()
    return left_in(conversation)
end

function commands.conversations_pending()
    feel_pulse()
    local found, first = {}, {}
    for _, conversation in ipairs(redis.call('SMEMBERS', key('conversations_waiting'))) do
        first[conversation] = first_left(conversation)
        if first[conversation] then
            found[#found + 1] = conversation
        end
    end
    table.sort(found, function(a, b) return first[a] < first[b] end)
    return found
end

-- `before` is a call, or empty. False while others are at it.
function commands.claim(conversation, before, process)
    feel_pulse()
    beat(process)
    local lines
    if before == '' then
        lines = left_in(conversation)
    else
        lines = left_before(conversation, before)
    end
    if not lines then
        return false
    end
    if #lines > 0 then
        local holder = redis.call('HGET', key('claims'), conversation)
        if holder and holder ~= process and is_alive(holder) then
            return false
        end
        redis.call('HSET', key('claims'), conversation, process)
    end
    return lines
end

function commands.release(conversation, process)
    if redis.call('HGET', key('claims'), conversation) == process then
        redis.call('HDEL', key('claims'), conversation)
    end
end
