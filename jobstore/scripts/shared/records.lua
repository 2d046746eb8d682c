-- Jobs and executions.
--
-- Results live for `ttl`, or for the shorter `ttl` of the job (milliseconds). Records live for twice that time, so that the store can tell
-- a result that has expired (410) from one that never existed (404).
--
-- The hashes `job` and `execution` hold no value over 64 bytes if they can help it, because Redis stores such hashes in a tenth of the
-- memory. The long texts of an execution are strings of their own: its parameters (`params`), its outcome (`result`) and the names of the
-- files that it holds (`held`).

-- Let a job live for so long from now on. Further names of fields and values are written with the time of its end.
local function keep_job(job_id, milliseconds, ...)
  redis.call('HSET', key('job', job_id), 'expires_at', now + milliseconds, ...)
  redis.call('PEXPIRE', key('job', job_id), 2 * milliseconds)
end

local function keep_execution(execution_id, milliseconds)
  redis.call('HSET', key('execution', execution_id), 'expires_at', now + milliseconds)
  for _, kind in ipairs({'execution', 'params', 'result', 'joined'}) do
    redis.call('PEXPIRE', key(kind, execution_id), 2 * milliseconds)
  end
  redis.call('PEXPIRE', key('held', execution_id), HELD_LIFE)
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
-- minutes, so that they follow a change, and count for nothing ten minutes after the last end. A time counts from the last end, but not from
-- before the job that ends now was submitted, so time without work does not count.

local FADES = 60000 -- milliseconds in which both fall to 1/e
local DRAINED_LIFE = 600000

-- Return when the last job ended, and the count and the milliseconds, or nothing if that was long ago.
local function drained_by(whose)
  local last, count, busy = unpack(redis.call('HMGET', key('drained', whose), 'last', 'count', 'busy'))
  if last and now - last < DRAINED_LIFE then
    return last, count, busy
  end
end

local function count_end(whose, since)
  local drained = key('drained', whose)
  local last, count, busy = drained_by(whose)
  local span = math.max(0, now - math.max(tonumber(last or 0), tonumber(since)))
  local kept = math.exp(-span / FADES)
  redis.call('HSET', drained, 'last', now, 'count', (count or 0) * kept + 1, 'busy', (busy or 0) * kept + span)
  if whose ~= 'all' then
    redis.call('PEXPIRE', drained, DRAINED_LIFE)
  end
end

-- Return the milliseconds in which one job ends, or -1 if none has ended lately.
local function interval_of(whose)
  local _, count, busy = drained_by(whose)
  return count and math.ceil(busy / count) or -1
end

-- End an execution with its outcome (JSON text; nil if there is none). It holds `files` (names) from now on, and none if that is nil. It
-- lets go of what it has held, unless `keeps` is true: those names are among `files` then.
-- `progress` (JSON text) is written to its record; nil leaves what is there.
local function settle(execution_id, execution, state, outcome, files, progress, keeps)
  local name, longest = key('execution', execution_id), 0
  unqueue(execution_id, execution)
  if execution.progress or tonumber(execution.claims or 0) > 1 then
    redis.call('DEL', key('preview', execution_id))
  end
  local held = key('held', execution_id)
  if not keeps then
    drop_all(redis.call('GET', held))
  end
  for _, job_id in ipairs(redis.call('SMEMBERS', key('joined', execution_id))) do
    local owner, ttl, item, caller, created_at, sequence =
      unpack(redis.call('HMGET', key('job', job_id), 'owner_key', 'ttl', 'item', 'caller', 'created_at', 'sequence'))
    if owner then
      ttl, sequence = tonumber(ttl or args.ttl), sequence + 1
      longest = math.max(longest, ttl)
      if caller then
        redis.call('ZREM', key('active', caller), job_id)
        count_end(caller, created_at)
      end
      keep_job(job_id, ttl, 'sequence', sequence)
      write_done(job_id, sequence, state)
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
  local written = progress and {'progress', progress} or {}
  redis.call('HSET', name, 'state', state, 'finished_at', now, 'expires_at', now + longest, unpack(written))
  if files then
    redis.call('SET', held, files, 'PX', HELD_LIFE)
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
  local sequence = job.sequence + 1
  keep_job(job_id, ttl, 'sequence', sequence, 'canceled', 1, 'finished_at', now, 'method', execution.method, 'model', execution.model,
    'lane', execution.lane, 'params', redis.call('GET', key('params', job.execution_id)))
  write_done(job_id, sequence, 'canceled')
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
  local params, outcome, files = unpack(redis.call('MGET', key('params', job.execution_id), key('result', job.execution_id),
    key('held', job.execution_id)))
  return {job_id, state, position, job_fields, execution_fields, job.params or params,
    (state == 'succeeded' or state == 'failed') and outcome, state == 'succeeded' and files}
end
