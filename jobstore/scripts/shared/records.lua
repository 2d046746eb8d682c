-- Jobs, executions and their queue.
--
-- Results live for `ttl`, or for the shorter `ttl` of the job (milliseconds). Records live for twice that time, so that the store can tell
-- a result that has expired (410) from one that never existed (404).
--
-- The hashes `job` and `execution` hold no value over 64 bytes if they can help it, because Redis stores such hashes in a tenth of the
-- memory. The long texts of an execution are strings of their own: its parameters (`params`), its outcome (`result`) and the names of the
-- files that it holds (`held`).
local EVENTS_LINGER = 60000 -- how long the events of a job that has ended can be read one by one

local function keep_job(job_id, milliseconds)
  redis.call('HSET', key('job', job_id), 'expires_at', now + milliseconds)
  redis.call('PEXPIRE', key('job', job_id), 2 * milliseconds)
end

local function keep_execution(execution_id, milliseconds)
  redis.call('HSET', key('execution', execution_id), 'expires_at', now + milliseconds)
  for _, kind in ipairs({'execution', 'params', 'result', 'held', 'joined'}) do
    redis.call('PEXPIRE', key(kind, execution_id), 2 * milliseconds)
  end
  redis.call('PEXPIRE', FILES, args.record_ttl)
end

-- Each job has a sorted set of events, '<sequence> <type> <json>' with the sequence number as the score.
-- Events are also announced in one stream of the shard, which the listener of each service reads for all its waiting callers.

local function emit(job_id, kind, json)
  local sequence = redis.call('HINCRBY', key('job', job_id), 'sequence', 1)
  local events = key('events', job_id)
  redis.call('ZADD', events, sequence, sequence .. ' ' .. kind .. ' ' .. json)
  if sequence == 1 then
    redis.call('PEXPIRE', events, args.record_ttl)
  elseif sequence > args.max_events then
    redis.call('ZREMRANGEBYSCORE', events, '-inf', sequence - args.max_events)
  end
end

local function announce(job_id, kind)
  local announcements = key('announcements', 'all')
  redis.call('XADD', announcements, 'MAXLEN', '~', args.max_events, '*', 'job', job_id, 'type', kind)
  redis.call('PEXPIRE', announcements, args.record_ttl)
end

local function emit_status(job_id, state, position)
  emit(job_id, 'status', cjson.encode({state = state, queue_position = position or cjson.null}))
end

-- Write the last event of a job, and let its webhook tell of it. The events are dropped soon; later readers get the end from the record.
local function emit_done(job_id, state)
  emit(job_id, 'done', '{"state":"' .. state .. '"}')
  redis.call('PEXPIRE', key('events', job_id), EVENTS_LINGER)
  queue_delivery(job_id, state)
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
  redis.call('ZREM', execution.state == 'queued' and key('waiting', place) or key('running', execution.lane), execution_id)
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

-- The hash `drained` of a caller, or of `all`, tells how fast work ends: `count` jobs ended in `busy` milliseconds. Both fade within
-- minutes, so that they follow a change. A time counts from the last end, but not from before the job that ends now was submitted, so time
-- without work does not count.

local FADES = 60000 -- milliseconds in which both fall to 1/e
local DRAINED_LIFE = 600000

local function count_end(whose, since)
  local drained = key('drained', whose)
  local last, count, busy = unpack(redis.call('HMGET', drained, 'last', 'count', 'busy'))
  local span = math.max(0, now - math.max(tonumber(last or 0), tonumber(since)))
  local kept = math.exp(-span / FADES)
  redis.call('HSET', drained, 'last', now, 'count', (count or 0) * kept + 1, 'busy', (busy or 0) * kept + span)
  redis.call('PEXPIRE', drained, DRAINED_LIFE)
end

-- Return the milliseconds in which one job ends, or -1 if none has ended lately.
local function interval_of(whose)
  local count, busy = unpack(redis.call('HMGET', key('drained', whose), 'count', 'busy'))
  return count and math.ceil(busy / count) or -1
end

-- End an execution with its outcome (JSON text; nil if there is none). It holds `files` (names) from now on, and none if that is nil.
local function settle(execution_id, execution, state, outcome, files)
  local name, longest = key('execution', execution_id), 0
  unqueue(execution_id, execution)
  redis.call('DEL', key('preview', execution_id))
  local held = key('held', execution_id)
  drop_all(redis.call('GET', held))
  for _, job_id in ipairs(redis.call('SMEMBERS', key('joined', execution_id))) do
    local owner, ttl, item, caller, created_at =
      unpack(redis.call('HMGET', key('job', job_id), 'owner_key', 'ttl', 'item', 'caller', 'created_at'))
    if owner then
      longest = math.max(longest, tonumber(ttl or args.ttl))
      if caller then
        redis.call('ZREM', key('active', caller), job_id)
        count_end(caller, created_at)
      end
      emit_done(job_id, state)
      keep_job(job_id, tonumber(ttl or args.ttl))
      announce(job_id, 'done')
      note_item_end(item, job_id, state)
    end
  end
  if state ~= 'canceled' then
    count_end('all', execution.queued_at)
  end
  longest = longest > 0 and longest or args.ttl
  if outcome then
    redis.call('SET', key('result', execution_id), outcome, 'PX', 2 * longest)
  end
  redis.call('HSET', name, 'state', state, 'finished_at', now, 'expires_at', now + longest)
  if files then
    redis.call('SET', held, files, 'PX', 2 * longest)
  else
    redis.call('DEL', held)
  end
  for _, kind in ipairs({'execution', 'params', 'joined'}) do
    redis.call('PEXPIRE', key(kind, execution_id), 2 * longest)
  end
  if state == 'succeeded' then
    keep_stored('result:' .. execution_id, longest)
    redis.call('PEXPIRE', key('latest', execution.execution_key), longest)
  else
    list_ended('execution:' .. execution_id, 2 * longest)
  end
end

-- Cancel a job and take it out of its execution. The execution is canceled when its last job leaves. The job keeps a copy of what it
-- shows of the execution, because the execution may be deleted before it.
local function withdraw(job_id, job, execution)
  local ttl = tonumber(job.ttl or args.ttl)
  redis.call('SREM', key('joined', job.execution_id), job_id)
  if job.caller then
    redis.call('ZREM', key('active', job.caller), job_id)
  end
  redis.call('HSET', key('job', job_id), 'canceled', 1, 'finished_at', now, 'method', execution.method, 'model', execution.model,
    'lane', execution.lane, 'params', redis.call('GET', key('params', job.execution_id)))
  emit_done(job_id, 'canceled')
  keep_job(job_id, ttl)
  list_ended('job:' .. job_id, 2 * ttl)
  announce(job_id, 'done')
  note_item_end(job.item, job_id, 'canceled')
  if redis.call('SCARD', key('joined', job.execution_id)) == 0 then
    settle(job.execution_id, execution, 'canceled')
  end
end

-- Return a job as its owner sees it, or nil if it does not exist or belongs to another owner. The reply is {id, state, queue position or
-- nil, fields of the job, fields of the execution, params, outcome, files}. Fields are names and values in turn. The job's win where both
-- have one. Params and outcome are JSON texts, and files are names. Outcome and files are nil if the job shows no result. Example:
-- {'01K5…', 'queued', 0, {'created_at', '1764170000123', …}, {'method', 'predict', 'attempts', '0', …}, '{"top":5}', nil, nil}
local function snapshot(job_id, owner_key)
  local job_fields = redis.call('HGETALL', key('job', job_id))
  local job = as_table(job_fields)
  if job.owner_key ~= owner_key then
    return nil
  end
  local execution_fields = redis.call('HGETALL', key('execution', job.execution_id))
  local execution = as_table(execution_fields)
  if not execution.state and not job.canceled then
    return nil -- both records end at this moment
  end
  local state = job_state(job, execution)
  local position = state == 'queued' and queue_position(job.execution_id, execution)
  local outcome = (state == 'succeeded' or state == 'failed') and redis.call('GET', key('result', job.execution_id))
  local params = job.params or redis.call('GET', key('params', job.execution_id))
  local files = state == 'succeeded' and redis.call('GET', key('held', job.execution_id))
  return {job_id, state, position, job_fields, execution_fields, params, outcome, files}
end
