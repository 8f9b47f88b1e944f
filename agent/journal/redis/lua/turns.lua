-- Turns: `turns_of` and `turns_of_call` have all of them by position, `waiting` and `undelivered` those that the thread
-- has not acknowledged, `delivered` the others by time.

function commands.append(id, conversation, call, line, written_at, delivered, seq, room, epoch, ...)
    if room ~= '' and redis.call('HGET', key('lease', room), 'epoch') ~= epoch then
        return 'fenced'
    end
    if redis.call('EXISTS', key('turn', id)) == 1 then
        return 'there'
    end
    local position = next_position()
    redis.call('HSET', key('turn', id), 'line', line, 'conversation', conversation, 'call', call,
        'written_at', written_at)
    if seq ~= '' then
        redis.call('HSET', key('turn', id), 'seq', seq)
    end
    redis.call('ZADD', key('turns_of', conversation), position, id)
    if call ~= '' then
        redis.call('ZADD', key('turns_of_call', call), position, id)
    end
    if delivered == '1' then
        redis.call('HSET', key('turn', id), 'delivered_at', written_at)
        redis.call('ZADD', key('delivered'), written_at, id)
    else
        redis.call('ZADD', key('waiting', conversation), position, id)
        redis.call('ZADD', key('undelivered'), position, id)
        redis.call('SADD', key('conversations_waiting'), conversation)
    end
    queue(written_at, ...)
    return 'written'
end

local function is_undelivered(id)
    return redis.call('ZSCORE', key('undelivered'), id) ~= false
end

function commands.mark_delivered(id, at, seq)
    if not is_undelivered(id) then
        return
    end
    local conversation = redis.call('HGET', key('turn', id), 'conversation')
    redis.call('HSET', key('turn', id), 'delivered_at', at)
    if seq ~= '' then
        redis.call('HSET', key('turn', id), 'seq', seq)
    else
        redis.call('HDEL', key('turn', id), 'seq')
    end
    redis.call('ZADD', key('delivered'), at, id)
    redis.call('ZREM', key('undelivered'), id)
    redis.call('ZREM', key('waiting', conversation), id)
    if redis.call('EXISTS', key('waiting', conversation)) == 0 then
        redis.call('SREM', key('conversations_waiting'), conversation)
    end
end

function commands.mark_given_up(id, at)
    if is_undelivered(id) then
        redis.call('HSET', key('turn', id), 'given_up_at', at)
    end
end

local function read_turns(ids, ...)
    local turns = {}
    for _, id in ipairs(ids) do
        turns[#turns + 1] = redis.call('HMGET', key('turn', id), ...)
    end
    return turns
end

function commands.latest_turns(conversation, limit)
    if limit == '0' then
        return {}
    end
    return read_turns(redis.call('ZRANGE', key('turns_of', conversation), -tonumber(limit), -1), 'line', 'seq')
end

function commands.entries_of_call(call)
    local ids = redis.call('ZRANGE', key('turns_of_call', call), 0, -1)
    return read_turns(ids, 'line', 'seq', 'written_at', 'delivered_at')
end

function commands.backlog()
    local first = redis.call('ZRANGE', key('undelivered'), 0, 0)[1]
    return {redis.call('ZCARD', key('undelivered')), first and redis.call('HGET', key('turn', first), 'written_at')}
end
