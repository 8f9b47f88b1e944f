-- Calls and what happens in them. `running` says which process a call runs in.

function commands.call_started(id, conversation, room, started_at, process, queued_at, owed, plan, target, ...)
    feel_pulse()
    beat(process)
    redis.call('HSET', key('carried'), id, process)
    if redis.call('EXISTS', key('call', id)) == 1 then
        return
    end
    redis.call('HSET', key('call', id), 'id', id, 'conversation', conversation, 'room', room, 'started_at', started_at)
    redis.call('ZADD', key('calls'), started_at, id)
    redis.call('SADD', key('calls_of', conversation), id)
    redis.call('HSET', key('running'), id, process)
    if owed == '1' then
        redis.call('HSET', key('aftercare', id), 'plan', plan, 'target', target, 'held_until', 0, 'holder', '')
        redis.call('ZADD', key('unsettled'), started_at, id)
        update_due(id)
    end
    queue(queued_at, ...)
end

function commands.hand_over(id)
    redis.call('HDEL', key('carried'), id)
end

function commands.call_ended(id, at, reason)
    local call = key('call', id)
    if redis.call('EXISTS', call) == 1 and redis.call('HEXISTS', call, 'ended_at') == 0 then
        redis.call('HSET', call, 'ended_at', at, 'reason', reason)
    end
    redis.call('HDEL', key('carried'), id)
    redis.call('HDEL', key('running'), id)
end

local function read_call(id)
    return redis.call('HMGET', key('call', id), 'id', 'conversation', 'room', 'started_at', 'ended_at', 'reason')
end

function commands.calls(limit)
    local calls = {}
    if limit ~= '0' then
        for _, id in ipairs(redis.call('ZREVRANGE', key('calls'), 0, tonumber(limit) - 1)) do
            calls[#calls + 1] = read_call(id)
        end
    end
    return calls
end

function commands.running_calls()
    feel_pulse()
    local running = redis.call('HGETALL', key('running'))
    local calls = {}
    for i = 1, #running, 2 do
        if is_alive(running[i + 1]) then
            calls[#calls + 1] = running[i]
        end
    end
    return calls
end

-- An event is four lines: its position, its time, its kind, its details as JSON.
function commands.record(request, call, at, kind, details, queued_at, ...)
    if not is_first(request) then
        return
    end
    redis.call('RPUSH', key('events', call), table.concat({next_position(), at, kind, details}, '\n'))
    redis.call('SADD', key('calls_with_events'), call)
    queue(queued_at, ...)
end

function commands.events_of_call(call)
    return redis.call('LRANGE', key('events', call), 0, -1)
end

function commands.events_of_conversation(conversation, kind)
    local events = {}
    for _, call in ipairs(redis.call('SMEMBERS', key('calls_of', conversation))) do
        for _, event in ipairs(redis.call('LRANGE', key('events', call), 0, -1)) do
            if string.match(event, '^[^\n]*\n[^\n]*\n([^\n]*)\n') == kind then
                events[#events + 1] = {call, event}
            end
        end
    end
    return events
end
