-- Removes what is old, some at a time: a script holds up everybody else.

local function forget_aftercare(call)
    if redis.call('EXISTS', key('call', call), key('notices_of', call)) == 0 then
        redis.call('DEL', key('aftercare', call))
        redis.call('ZREM', key('unsettled'), call)
    end
end

function commands.prune_turns(before, limit)
    local ids = redis.call('ZRANGEBYSCORE', key('delivered'), '-inf', '(' .. before, 'LIMIT', 0, limit)
    for _, id in ipairs(ids) do
        local turn = redis.call('HMGET', key('turn', id), 'conversation', 'call')
        redis.call('ZREM', key('turns_of', turn[1]), id)
        redis.call('ZREM', key('turns_of_call', turn[2]), id)
        redis.call('ZREM', key('delivered'), id)
        redis.call('DEL', key('turn', id))
    end
    return #ids
end

-- Returns how many were looked at, and how many of them are kept. Calls that started before may still run or wait.
function commands.prune_calls(before, offset, limit)
    local ids = redis.call('ZRANGEBYSCORE', key('calls'), '-inf', '(' .. before, 'LIMIT', offset, limit)
    local kept = 0
    for _, id in ipairs(ids) do
        local call = read_call(id)
        local ended_at = tonumber(call[5] or call[4])
        local is_needed = redis.call('EXISTS', key('turns_of_call', id)) == 1
            or redis.call('HEXISTS', key('running'), id) == 1
        if ended_at >= tonumber(before) or is_needed then
            kept = kept + 1
        else
            redis.call('DEL', key('call', id))
            redis.call('ZREM', key('calls'), id)
            redis.call('SREM', key('calls_of', call[2]), id)
            forget_aftercare(id)
        end
    end
    return {#ids, kept}
end

-- The events of calls that are gone.
function commands.prune_events(before, ...)
    for _, call in ipairs({...}) do
        if redis.call('EXISTS', key('call', call)) == 0 then
            local events = key('events', call)
            for _, event in ipairs(redis.call('LRANGE', events, 0, -1)) do
                if tonumber(string.match(event, '^[^\n]*\n([^\n]*)\n')) < tonumber(before) then
                    redis.call('LREM', events, 1, event)
                end
            end
            if redis.call('EXISTS', events) == 0 then
                redis.call('SREM', key('calls_with_events'), call)
            end
        end
    end
end

function commands.prune_notices(before, limit)
    local ids = redis.call('ZRANGEBYSCORE', key('finished_notices'), '-inf', '(' .. before, 'LIMIT', 0, limit)
    for _, id in ipairs(ids) do
        local call = redis.call('HGET', key('notice', id), 'call')
        redis.call('DEL', key('notice', id))
        redis.call('ZREM', key('finished_notices'), id)
        redis.call('ZREM', key('notices_of', call), id)
        forget_aftercare(call)
    end
    return #ids
end

function commands.prune_leases(before, limit)
    local rooms = redis.call('ZRANGEBYSCORE', key('leases'), '-inf', '(' .. before, 'LIMIT', 0, limit)
    for _, room in ipairs(rooms) do
        redis.call('DEL', key('lease', room))
        redis.call('ZREM', key('leases'), room)
        redis.call('ZREM', key('held'), room)
    end
    return #rooms
end

-- Processes that are gone run no call, bring no turns and hold no claim.
function commands.forget_dead()
    feel_pulse()
    for _, kind in ipairs({'running', 'carried', 'claims'}) do
        local entries = redis.call('HGETALL', key(kind))
        for i = 1, #entries, 2 do
            if not is_alive(entries[i + 1]) then
                redis.call('HDEL', key(kind), entries[i])
            end
        end
    end
    redis.call('ZREMRANGEBYSCORE', key('beats'), '-inf', as_text(now - 3600))
end
