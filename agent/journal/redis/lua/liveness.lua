-- Who lives: a process that has beaten lately. When nobody could beat for a while, Redis was away or frozen, and that
-- says nothing of them: what ran out since the last sign of life counts for a while yet, so that all can renew it.
local GAP_S = 0.75
local PULSE_EVERY_S = 0.2
local PROCESS_TTL_S = 5.0

local now = server_time()
local gap_from, gap_to = false, false

-- Each command that judges begins with this.
local function feel_pulse()
    local found = redis.call('HMGET', key('pulse'), 'at', 'gap_from', 'gap_to')
    local at = tonumber(found[1] or '')
    gap_from, gap_to = tonumber(found[2] or ''), tonumber(found[3] or '')
    if at and now - at > GAP_S then
        if not gap_to or now > gap_to + PROCESS_TTL_S then
            gap_from = at
        end
        gap_to = now
        redis.call('HSET', key('pulse'), 'gap_from', as_text(gap_from), 'gap_to', as_text(gap_to))
    end
    if not at or now - at > PULSE_EVERY_S then
        redis.call('HSET', key('pulse'), 'at', as_text(now))
    end
end

local function has_run_out(expires_at, grace)
    if expires_at > now then
        return false
    end
    return not (gap_to and now < gap_to + grace and expires_at > gap_from)
end

local function beat(process)
    redis.call('ZADD', key('beats'), as_text(now), process)
end

local function is_alive(process)
    local beaten_at = tonumber(redis.call('ZSCORE', key('beats'), process) or '')
    return beaten_at ~= nil and not has_run_out(beaten_at + PROCESS_TTL_S, PROCESS_TTL_S)
end

function commands.beat(process)
    feel_pulse()
    beat(process)
end

-- The processes that may live, for whoever shares a host with some of them and sees more.
function commands.processes()
    return redis.call('ZRANGE', key('beats'), 0, -1)
end

function commands.bury(...)
    redis.call('ZREM', key('beats'), ...)
end
