-- What is owed for calls beside their turns. `unsettled` has the calls whose aftercare is not done, by their start.

local function is_free_for(call, holder, at)
    local held = redis.call('HMGET', key('aftercare', call), 'holder', 'held_until')
    return held[1] == holder or tonumber(held[2] or '0') <= tonumber(at)
end

-- A holder keeps what it has until the last of its leases ends: it may settle a call and send its notices.
local function hold(call, holder, held_until)
    local held = redis.call('HMGET', key('aftercare', call), 'holder', 'held_until')
    if held[1] == holder and tonumber(held[2]) > tonumber(held_until) then
        return
    end
    redis.call('HSET', key('aftercare', call), 'holder', holder, 'held_until', held_until)
    redis.call('SADD', key('held_by', holder), call)
    redis.call('EXPIRE', key('held_by', holder), 86400)
end

function commands.calls_over(holder, at, held_until, limit)
    feel_pulse()
    local over = {}
    for _, id in ipairs(redis.call('ZRANGE', key('unsettled'), 0, -1)) do
        if #over >= tonumber(limit) then
            break
        end
        local call, process = read_call(id), redis.call('HGET', key('running'), id)
        local is_over = call[1] and (call[5] or not process or not is_alive(process))
        if is_over and is_free_for(id, holder, at) then
            hold(id, holder, held_until)
            call[7], call[8], call[9] = unpack(redis.call('HMGET', key('aftercare', id), 'plan', 'target', 'summary'))
            over[#over + 1] = call
        end
    end
    return over
end

function commands.keep_summary(call, summary)
    if redis.call('EXISTS', key('aftercare', call)) == 1 then
        redis.call('HSETNX', key('aftercare', call), 'summary', summary)
    end
end

function commands.summary_of_call(call)
    return redis.call('HGET', key('aftercare', call), 'summary')
end

function commands.settle(call, at, ...)
    queue(at, ...)
    redis.call('ZREM', key('unsettled'), call)
    redis.call('HDEL', key('running'), call)
end

function commands.targets()
    return redis.call('SMEMBERS', key('targets'))
end

function commands.due(target, holder, at, held_until, limit)
    local found = {}
    for _, call in ipairs(redis.call('ZRANGEBYSCORE', key('due', target), '-inf', at)) do
        if #found >= tonumber(limit) then
            break
        end
        if is_free_for(call, holder, at) then
            hold(call, holder, held_until)
            local id = redis.call('ZRANGE', key('waiting_notices_of', call), 0, 0)[1]
            local fields = {'call', 'kind', 'at', 'body', 'queued_at', 'attempts', 'refusals'}
            found[#found + 1] = {id, unpack(redis.call('HMGET', key('notice', id), unpack(fields)))}
        end
    end
    return found
end

-- The call of a notice that is there, at the first time that something is said of it.
local function call_of(id, request)
    return is_first(request) and redis.call('HGET', key('notice', id), 'call')
end

function commands.notice_delivered(request, id, at)
    local call = call_of(id, request)
    if call then
        redis.call('HINCRBY', key('notice', id), 'attempts', 1)
        redis.call('HDEL', key('notice', id), 'problem')
        finish(id, call, 'delivered_at', at)
    end
end

function commands.notice_postponed(request, id, due_at, problem, refusals)
    local call = call_of(id, request)
    if call then
        redis.call('HINCRBY', key('notice', id), 'attempts', 1)
        redis.call('HINCRBY', key('notice', id), 'refusals', refusals)
        redis.call('HSET', key('notice', id), 'due_at', due_at, 'problem', problem)
        update_due(call)
    end
end

function commands.notice_failed(request, id, at, problem)
    local call = call_of(id, request)
    if call then
        redis.call('HINCRBY', key('notice', id), 'attempts', 1)
        redis.call('HSET', key('notice', id), 'problem', problem)
        finish(id, call, 'failed_at', at)
    end
end

local function give_up(ids, at, problem)
    for _, id in ipairs(ids) do
        redis.call('HSET', key('notice', id), 'problem', problem)
        finish(id, redis.call('HGET', key('notice', id), 'call'), 'failed_at', at)
    end
    return #ids
end

function commands.bound(at, oldest, most)
    local old = redis.call('ZRANGEBYSCORE', key('waiting_notices_by_age'), '-inf', '(' .. oldest)
    local given_up = give_up(old, at, 'waited too long')
    local excess = redis.call('ZCARD', key('waiting_notices')) - tonumber(most)
    if excess > 0 then
        local many = redis.call('ZRANGE', key('waiting_notices'), 0, excess - 1)
        given_up = given_up + give_up(many, at, 'the queue was full')
    end
    return given_up
end

function commands.leave(holder)
    for _, call in ipairs(redis.call('SMEMBERS', key('held_by', holder))) do
        if redis.call('HGET', key('aftercare', call), 'holder') == holder then
            redis.call('HSET', key('aftercare', call), 'holder', '', 'held_until', 0)
        end
    end
    redis.call('DEL', key('held_by', holder))
end

function commands.notices_of_call(call)
    local notices = {}
    for _, id in ipairs(redis.call('ZRANGE', key('notices_of', call), 0, -1)) do
        local fields = {'kind', 'queued_at', 'attempts', 'delivered_at', 'failed_at', 'problem'}
        notices[#notices + 1] = {id, unpack(redis.call('HMGET', key('notice', id), unpack(fields)))}
    end
    return notices
end
