-- What every script begins with, after its first line.
--
-- KEYS[1] is a shard's prefix, `convscope:{n}:`. Every key is made from it, so that no script leaves its slot.
-- ARGV[1] is a JSON object `a` of arguments; what follows in ARGV is bytes (an image, artifacts).
-- Times are Redis's own, in milliseconds. `execution` and `job` are ids; a hash read as a table is `e` or `j`.
--
-- A script's first line says what it may do: one with `allow-oom` runs where Redis is full, since it ends work or lets it be ended; one
-- without flags is refused then, before it has changed anything. In a cluster one that leaves its slot is refused as well.

local GROUP = 'workers'
local PRIORITIES = {'high', 'normal', 'low'}

local a = cjson.decode(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function key(kind, id)
  return KEYS[1] .. kind .. ':' .. id
end

local function fields(hash)
  local flat, found = redis.call('HGETALL', hash), {}
  for i = 1, #flat, 2 do
    found[flat[i]] = flat[i + 1]
  end
  return found
end

local function live_at_least(name, milliseconds)
  if redis.call('PTTL', name) < milliseconds then
    redis.call('PEXPIRE', name, milliseconds)
  end
end

-- Lives: results for `ttl`; records for `record_ttl`, so that a result that is gone is told from one that never was.

local function keep_job(job)
  redis.call('HSET', key('job', job), 'expires', now + a.ttl)
  redis.call('PEXPIRE', key('job', job), a.record_ttl)
  redis.call('PEXPIRE', key('events', job), a.record_ttl)
end

local function keep_execution(execution)
  redis.call('HSET', key('execution', execution), 'expires', now + a.ttl)
  redis.call('PEXPIRE', key('execution', execution), a.record_ttl)
  redis.call('PEXPIRE', key('joined', execution), a.record_ttl)
  redis.call('PEXPIRE', key('artifacts', execution), a.ttl)
end

-- Events: one stream a job; sequence numbers are counted in the job and are the entries' ids.

local function emit(job, kind, data)
  local sequence = redis.call('HINCRBY', key('job', job), 'sequence', 1)
  redis.call('XADD', key('events', job), 'MAXLEN', '~', a.max_events, sequence .. '-0', 'type', kind, 'data', data)
  if sequence == 1 then
    redis.call('PEXPIRE', key('events', job), a.record_ttl)
  end
end

local function emit_status(job, state, position)
  emit(job, 'status', cjson.encode({state = state, queue_position = position or cjson.null}))
end

-- The jobs that stand behind an execution: neither canceled nor deleted.
local function joined(execution)
  local jobs = {}
  for _, job in ipairs(redis.call('SMEMBERS', key('joined', execution))) do
    if redis.call('EXISTS', key('job', job)) == 1 then
      jobs[#jobs + 1] = job
    end
  end
  return jobs
end

local function expired(hash)
  return tonumber(hash.expires or 0) <= now
end

local function ended(state)
  return state ~= 'queued' and state ~= 'running'
end

local function job_state(j, e)
  if j.canceled then
    return 'canceled'
  elseif not e.state then
    return 'expired'
  elseif e.state ~= 'failed' and e.state ~= 'canceled' and expired(j) then
    return 'expired'
  end
  return e.state
end

-- The queue: a stream for each lane and priority, read by one consumer group; `waiting` has the same executions in order, for
-- positions and ages; `wakeup` is written to whenever there is something to claim, and is what idle workers block on.

local function wake(lane)
  local wakeups = key('wakeup', lane)
  redis.call('XADD', wakeups, 'MAXLEN', 1, '*', 'lane', lane)
  redis.call('PEXPIRE', wakeups, a.record_ttl)
end

local function enqueue(execution, lane, priority, queued)
  local place = lane .. ':' .. priority
  local queue = key('queue', place)
  if redis.call('EXISTS', queue) == 0 then
    redis.call('XGROUP', 'CREATE', queue, GROUP, '0', 'MKSTREAM')
  end
  local entry = redis.call('XADD', queue, '*', 'execution', execution)
  redis.call('HSET', key('execution', execution), 'entry', entry, 'priority', priority)
  redis.call('ZADD', key('waiting', place), queued, execution)
  redis.call('PEXPIRE', queue, a.record_ttl)
  redis.call('PEXPIRE', key('waiting', place), a.record_ttl)
  wake(lane)
end

local function drop_entry(queue, entry)
  redis.call('XACK', queue, GROUP, entry)
  redis.call('XDEL', queue, entry)
end

local function unqueue(execution, e)
  local place = e.lane .. ':' .. e.priority
  drop_entry(key('queue', place), e.entry)
  redis.call('ZREM', key('waiting', place), execution)
  redis.call('ZREM', key('running', e.lane), execution)
end

local function position(execution, e)
  local ahead = 0
  for _, priority in ipairs(PRIORITIES) do
    local waiting = key('waiting', e.lane .. ':' .. priority)
    if priority == e.priority then
      return ahead + (redis.call('ZRANK', waiting, execution) or 0)
    end
    ahead = ahead + redis.call('ZCARD', waiting)
  end
end

-- The fence before every write of a worker: `claims` counts every claim, those given back too, which `attempt` does not.
local function holds(e, claim)
  return e.state == 'running' and tonumber(e.claims) == claim
end

-- Ends an execution; every job that waits for it hears of it last of all.
local function settle(execution, e, state, ...)
  unqueue(execution, e)
  redis.call('HSET', key('execution', execution), 'state', state, 'finished', now, ...)
  redis.call('DEL', key('preview', execution))
  keep_execution(execution)
  for _, job in ipairs(joined(execution)) do
    redis.call('ZREM', key('active', redis.call('HGET', key('job', job), 'owner')), job)
    emit(job, 'done', cjson.encode({state = state}))
    keep_job(job)
  end
end

-- Takes a job out of its execution, which ends with the last one.
local function withdraw(job, j, e)
  redis.call('SREM', key('joined', j.execution), job)
  redis.call('ZREM', key('active', j.owner), job)
  redis.call('HSET', key('job', job), 'canceled', 1, 'finished', now)
  emit(job, 'done', cjson.encode({state = 'canceled'}))
  keep_job(job)
  if redis.call('SCARD', key('joined', j.execution)) == 0 then
    settle(j.execution, e, 'canceled')
  end
end

-- A job as it is read: {id, state, position or -1, its hash, its execution's hash}; nil where it is not there or another's.
local function snapshot(job, owner)
  local name = key('job', job)
  if redis.call('HGET', name, 'owner') ~= owner then
    return nil
  end
  local j = fields(name)
  local e = fields(key('execution', j.execution))
  local state = job_state(j, e)
  local place = state == 'queued' and position(j.execution, e) or -1
  return {job, state, place, redis.call('HGETALL', name), redis.call('HGETALL', key('execution', j.execution))}
end
