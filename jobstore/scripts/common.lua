-- Definitions that every script shares. The store inserts this file after the first line of each script.
--
-- KEYS[1] is the prefix of a shard, `convscope:{n}:`. Every key is made from it, so no script leaves its slot of a Redis Cluster.
-- ARGV[1] is a JSON object, `args`. It always has `ttl` and `record_ttl` (milliseconds) and `max_events`; each script names its others.
-- The rest of ARGV is bytes, for example an image. All times are Redis's own, in milliseconds since 1970.
-- A variable `job_id` or `execution_id` is an id; `job` or `execution` is the hash of that id as a table.
--
-- The first line of a script declares what it may do. A script with `allow-oom` also runs when the memory of Redis is full, because it
-- ends work or lets work end. A script without flags is refused then, before it has changed anything.

local GROUP = 'workers'
local PRIORITIES = {'high', 'normal', 'low'}
local LANES = {'fast', 'slow'}

local args = cjson.decode(ARGV[1])
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

-- Results live for `ttl`. Records live for `record_ttl`, which is longer, so that the store can tell a result that has expired (410)
-- from one that never existed (404).

local function keep_job(job_id)
  redis.call('HSET', key('job', job_id), 'expires_at', now + args.ttl)
  redis.call('PEXPIRE', key('job', job_id), args.record_ttl)
  redis.call('PEXPIRE', key('events', job_id), args.record_ttl)
end

local function keep_execution(execution_id)
  redis.call('HSET', key('execution', execution_id), 'expires_at', now + args.ttl)
  redis.call('PEXPIRE', key('execution', execution_id), args.record_ttl)
  redis.call('PEXPIRE', key('joined', execution_id), args.record_ttl)
  redis.call('PEXPIRE', key('artifacts', execution_id), args.ttl)
end

-- Each job has one stream of events. The sequence number is counted in the job's hash and is the id of the stream's entry.
-- Every event is also announced in one stream of the shard, which the listener of each service reads for all its waiting callers.

local function emit(job_id, kind, json)
  local sequence = redis.call('HINCRBY', key('job', job_id), 'sequence', 1)
  redis.call('XADD', key('events', job_id), 'MAXLEN', '~', args.max_events, sequence .. '-0', 'type', kind, 'data', json)
  if sequence == 1 then
    redis.call('PEXPIRE', key('events', job_id), args.record_ttl)
  end
  local announcements = key('announcements', 'all')
  redis.call('XADD', announcements, 'MAXLEN', '~', args.max_events, '*', 'job', job_id, 'type', kind)
  redis.call('PEXPIRE', announcements, args.record_ttl)
end

local function emit_status(job_id, state, position)
  emit(job_id, 'status', cjson.encode({state = state, queue_position = position or cjson.null}))
end

-- Return the ids of the jobs that wait for an execution or have its result. Canceled and deleted jobs are not among them.
local function joined(execution_id)
  local job_ids = {}
  for _, job_id in ipairs(redis.call('SMEMBERS', key('joined', execution_id))) do
    if redis.call('EXISTS', key('job', job_id)) == 1 then
      job_ids[#job_ids + 1] = job_id
    end
  end
  return job_ids
end

local function expired(hash)
  return tonumber(hash.expires_at or 0) <= now
end

local function ended(state)
  return state ~= 'queued' and state ~= 'running'
end

local function job_state(job, execution)
  if job.canceled then
    return 'canceled'
  elseif not execution.state then
    return 'expired'
  elseif execution.state ~= 'failed' and execution.state ~= 'canceled' and expired(job) then
    return 'expired'
  end
  return execution.state
end

-- The queue of each lane and priority is a stream that one consumer group reads. The sorted set `waiting` holds the same executions in
-- order; it answers positions and ages. Idle workers block on the stream `wakeup`, which gets an entry when there is something to claim.

local function wake_workers(lane)
  local wakeup = key('wakeup', lane)
  redis.call('XADD', wakeup, 'MAXLEN', 1, '*', 'lane', lane)
  redis.call('PEXPIRE', wakeup, args.record_ttl)
end

local function enqueue(execution_id, lane, priority, queued_at)
  local place = lane .. ':' .. priority
  local queue = key('queue', place)
  if redis.call('EXISTS', queue) == 0 then
    redis.call('XGROUP', 'CREATE', queue, GROUP, '0', 'MKSTREAM')
  end
  local entry = redis.call('XADD', queue, '*', 'execution', execution_id)
  redis.call('HSET', key('execution', execution_id), 'entry', entry, 'priority', priority)
  redis.call('ZADD', key('waiting', place), queued_at, execution_id)
  redis.call('PEXPIRE', queue, args.record_ttl)
  redis.call('PEXPIRE', key('waiting', place), args.record_ttl)
  wake_workers(lane)
end

local function drop_entry(queue, entry)
  redis.call('XACK', queue, GROUP, entry)
  redis.call('XDEL', queue, entry)
end

local function unqueue(execution_id, execution)
  local place = execution.lane .. ':' .. execution.priority
  drop_entry(key('queue', place), execution.entry)
  redis.call('ZREM', key('waiting', place), execution_id)
  redis.call('ZREM', key('running', execution.lane), execution_id)
end

local function queue_position(execution_id, execution)
  local ahead = 0
  for _, priority in ipairs(PRIORITIES) do
    local waiting = key('waiting', execution.lane .. ':' .. priority)
    if priority == execution.priority then
      return ahead + (redis.call('ZRANK', waiting, execution_id) or 0)
    end
    ahead = ahead + redis.call('ZCARD', waiting)
  end
end

-- Tell whether the worker that made this claim still holds the execution. Every script of a worker checks it before it writes.
-- `claims` counts every claim, and `attempts` does not count those that were given back.
local function holds(execution, claim)
  return execution.state == 'running' and tonumber(execution.claims) == claim
end

-- Tell whether the worker that made this claim has ended the execution. A worker renews its claims while it stores a result.
local function ended_by(execution, claim)
  return (execution.state == 'succeeded' or execution.state == 'failed') and tonumber(execution.claims) == claim
end

-- End an execution. The jobs that wait for it get their last event after everything else is written.
local function settle(execution_id, execution, state, ...)
  unqueue(execution_id, execution)
  redis.call('HSET', key('execution', execution_id), 'state', state, 'finished_at', now, ...)
  redis.call('DEL', key('preview', execution_id))
  keep_execution(execution_id)
  for _, job_id in ipairs(joined(execution_id)) do
    redis.call('ZREM', key('active', redis.call('HGET', key('job', job_id), 'owner_key')), job_id)
    emit(job_id, 'done', cjson.encode({state = state}))
    keep_job(job_id)
  end
end

-- Cancel a job and take it out of its execution. The execution is canceled when its last job leaves.
local function withdraw(job_id, job, execution)
  redis.call('SREM', key('joined', job.execution_id), job_id)
  redis.call('ZREM', key('active', job.owner_key), job_id)
  redis.call('HSET', key('job', job_id), 'canceled', 1, 'finished_at', now)
  emit(job_id, 'done', cjson.encode({state = 'canceled'}))
  keep_job(job_id)
  if redis.call('SCARD', key('joined', job.execution_id)) == 0 then
    settle(job.execution_id, execution, 'canceled')
  end
end

-- Return a job as its owner sees it, or nil if it does not exist or belongs to another owner.
--
-- The reply lists names and values in turn. It has the fields of the execution and those of the job, which win where both have a field.
-- The names are those of the model `JobRecord`, which ignores the few that only the store reads. Example:
-- {'id', '01K5…', 'state', 'queued', 'queue_position', '0', 'method', 'predict', 'created_at', '1764170000123', 'attempts', '0', …}
local RESULT_FIELDS = {'facts', 'warnings', 'artifacts', 'drawings', 'kept', 'provenance', 'timings', 'error'}

local function snapshot(job_id, owner_key)
  local job = fields(key('job', job_id))
  if job.owner_key ~= owner_key then
    return nil
  end
  local execution = fields(key('execution', job.execution_id))
  local state = job_state(job, execution)
  local shown = execution
  shown.execution_state, shown.execution_priority = execution.state, execution.priority
  shown.queue_position = state == 'queued' and tostring(queue_position(job.execution_id, execution)) or nil
  if state == 'canceled' or state == 'expired' then
    for _, name in ipairs(RESULT_FIELDS) do
      shown[name] = nil
    end
  end
  for name, value in pairs(job) do
    shown[name] = value
  end
  shown.id, shown.state = job_id, state
  local flat = {}
  for name, value in pairs(shown) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  return flat
end
