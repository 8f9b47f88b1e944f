-- Leases of rooms: `leases` has all rooms by the time at which they run out, `held` those that somebody holds,
-- `held_on:HOST` those that a process of a host holds. A room that was released keeps its epoch, which goes on counting.
-- Beside those in FIELDS a lease has `job`, what the call was dispatched with: not written anew with each renewal.
local LEASE_GRACE_S = 1.5
-- A call that was cut off longer ago is not gone on with.
local RESUMED_WITHIN_S = 60
-- A call that lived so long did not crash at once: its takeovers are counted anew.
local STEADY_S = 60
local FIELDS = {'room', 'call', 'conversation', 'identity', 'dispatch', 'epoch', 'holder', 'taken_at', 'takeovers',
    'resumes', 'saying', 'expires_at', 'request'}

local function read_lease(room)
    local values = redis.call('HMGET', key('lease', room), unpack(FIELDS))
    if not values[1] then
        return nil
    end
    local lease = {}
    for i, field in ipairs(FIELDS) do
        lease[field] = values[i] or ''
    end
    return lease
end

local function as_reply(lease)
    local values = {}
    for i, field in ipairs(FIELDS) do
        values[i] = tostring(lease[field])
    end
    return values
end

local function host_of(holder)
    return string.match(holder, '^(.*)#')
end

local function write_lease(lease, before)
    local room, pairs_of = lease.room, {}
    for _, field in ipairs(FIELDS) do
        append_all(pairs_of, {field, lease[field]})
    end
    redis.call('HSET', key('lease', room), unpack(pairs_of))
    redis.call('ZADD', key('leases'), lease.expires_at, room)
    if lease.holder == '' then
        redis.call('ZREM', key('held'), room)
    else
        redis.call('ZADD', key('held'), lease.expires_at, room)
    end
    if before and host_of(before) then
        redis.call('SREM', key('held_on', host_of(before)), room)
    end
    if host_of(lease.holder) then
        redis.call('SADD', key('held_on', host_of(lease.holder)), room)
    end
end

-- `dead` is a holder of whom its own host says that it is gone.
local function is_free(lease, dead)
    return lease.holder == '' or lease.holder == dead or has_run_out(tonumber(lease.expires_at), LEASE_GRACE_S)
end

local function expiry(ttl)
    return as_text(now + tonumber(ttl))
end

-- Who holds a room now, for the host that may know more of it.
function commands.holder_of(room)
    return redis.call('HGET', key('lease', room), 'holder')
end

function commands.job_of(room)
    return redis.call('HGET', key('lease', room), 'job')
end

function commands.take(request, room, call, conversation, identity, dispatch, holder, ttl, dead, job)
    feel_pulse()
    local before = read_lease(room)
    local lease = {room = room, call = call, conversation = conversation, identity = identity, dispatch = dispatch,
        epoch = 1, holder = holder, taken_at = as_text(now), takeovers = 0, resumes = '', saying = '',
        expires_at = expiry(ttl), request = request}
    if before and before.request == request then
        return as_reply(before)
    end
    if before then
        if before.holder ~= 'dispatch:' .. dispatch and not is_free(before, dead) then
            return false
        end
        lease.epoch = tonumber(before.epoch) + 1
        local cut_off = before.holder ~= '' and now - tonumber(before.expires_at) < RESUMED_WITHIN_S
        if cut_off and before.conversation == conversation then
            local in_a_row = now - tonumber(before.taken_at) > STEADY_S and 0 or tonumber(before.takeovers)
            lease.takeovers, lease.resumes, lease.saying = in_a_row + 1, before.call, before.saying
        end
    end
    write_lease(lease, before and before.holder)
    redis.call('HSET', key('lease', room), 'job', job)
    return as_reply(lease)
end

function commands.reserve(room, epoch, holder, ttl, dead)
    feel_pulse()
    local lease = read_lease(room)
    if lease and lease.holder == holder then
        return as_reply(lease)
    end
    if not lease or lease.epoch ~= epoch or not is_free(lease, dead) then
        return false
    end
    local before = lease.holder
    lease.epoch, lease.holder, lease.expires_at = tonumber(epoch) + 1, holder, expiry(ttl)
    write_lease(lease, before)
    return as_reply(lease)
end

local function change(room, epoch, holder, changes)
    local lease = read_lease(room)
    if not lease or lease.epoch ~= epoch or lease.holder ~= holder then
        return 0
    end
    for field, value in pairs(changes) do
        lease[field] = value
    end
    write_lease(lease, holder)
    return 1
end

function commands.renew(room, epoch, holder, ttl, saying)
    feel_pulse()
    return change(room, epoch, holder, {expires_at = expiry(ttl), saying = saying})
end

function commands.release_room(room, epoch, holder)
    local changed = change(room, epoch, holder, {holder = '', saying = ''})
    if changed == 1 then
        redis.call('HDEL', key('lease', room), 'job')
    end
    return changed
end

-- Run out from now on, also when Redis was away just before.
function commands.abandon(room, epoch, holder)
    feel_pulse()
    return change(room, epoch, holder, {expires_at = as_text(math.min(now, gap_from or now))})
end

function commands.await_dispatch(room, epoch, holder, dispatch, ttl)
    local awaited = redis.call('HMGET', key('lease', room), 'epoch', 'holder')
    if awaited[1] == epoch and awaited[2] == 'dispatch:' .. dispatch then
        return 1
    end
    return change(room, epoch, holder,
        {holder = 'dispatch:' .. dispatch, dispatch = dispatch, expires_at = expiry(ttl), saying = ''})
end

-- What has run out, and what processes of a host hold, each with 1 or 0 before it.
function commands.look(host)
    feel_pulse()
    local found, seen = {}, {}
    local function add(rooms)
        for _, room in ipairs(rooms) do
            local lease = not seen[room] and read_lease(room)
            if lease then
                seen[room] = true
                found[#found + 1] = {is_free(lease, '') and 1 or 0, unpack(as_reply(lease))}
            end
        end
    end
    add(redis.call('ZRANGEBYSCORE', key('held'), '-inf', as_text(now)))
    add(redis.call('SMEMBERS', key('held_on', host)))
    return found
end
