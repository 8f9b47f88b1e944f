-- The queue of notices: `due:TARGET` has the calls with something to tell, by the time of the first waiting notice.

local function update_due(call)
    local target = redis.call('HGET', key('aftercare', call), 'target')
    if not target or target == '' then
        return
    end
    local first = redis.call('ZRANGE', key('waiting_notices_of', call), 0, 0)[1]
    if first then
        redis.call('ZADD', key('due', target), redis.call('HGET', key('notice', first), 'due_at'), call)
        redis.call('SADD', key('targets'), target)
    else
        redis.call('ZREM', key('due', target), call)
        if redis.call('EXISTS', key('due', target)) == 0 then
            redis.call('SREM', key('targets'), target)
        end
    end
end

-- Without an id there is nothing to queue.
local function queue(queued_at, id, call, kind, at, body)
    if id == '' or redis.call('EXISTS', key('notice', id)) == 1 then
        return
    end
    local position = next_position()
    redis.call('HSET', key('notice', id), 'call', call, 'kind', kind, 'at', at, 'body', body, 'queued_at', queued_at,
        'due_at', queued_at, 'attempts', 0, 'refusals', 0)
    redis.call('ZADD', key('notices_of', call), position, id)
    redis.call('ZADD', key('waiting_notices_of', call), position, id)
    redis.call('ZADD', key('waiting_notices'), position, id)
    redis.call('ZADD', key('waiting_notices_by_age'), queued_at, id)
    update_due(call)
end

-- A notice is delivered or given up: its words are kept no longer, and the next one of its call may go.
local function finish(id, call, field, at)
    redis.call('HSET', key('notice', id), field, at)
    redis.call('HDEL', key('notice', id), 'body')
    redis.call('ZADD', key('finished_notices'), at, id)
    redis.call('ZREM', key('waiting_notices_of', call), id)
    redis.call('ZREM', key('waiting_notices'), id)
    redis.call('ZREM', key('waiting_notices_by_age'), id)
    update_due(call)
end
