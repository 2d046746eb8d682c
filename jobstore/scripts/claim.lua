#!lua
-- Claim up to `count` executions of a lane for a worker and mark them as running. Executions whose lease has run out and those that
-- were given back come first, then new ones, high priority first.
--
-- Arguments: worker, lane, count, lease (milliseconds), max_attempts; looks (true: look for executions whose lease has run out; those that
--   were given back are always looked for).
-- Returns {id of the lane's last wake-up, execution, …}. Each execution is {id, attempt, claim, method, model, priority, params,
-- image sha256 or '', request id, queued_at, '1' if fresh, model digest, names of the images' files,
-- inputs (JSON) or '', traceparent or '', deaths at which it was spared, further models (JSON) or ''}. Example:
-- {'1764170000123-0', {'01K5…', 1, 1, 'predict', 'tiny', 'normal', '{}', '9f86…', 'req-1', '1764170000100', '0', 'd3b0…', '9f86…-01JD…', '', '', '0', ''}}

local claimed = {}

local function crashed(attempts)
  return cjson.encode({error = {
    code = 'worker_crashed', retryable = false,
    detail = 'The worker that ran this job died or hung in each of ' .. attempts .. ' attempts. The job is not tried again.',
  }})
end

local function start(queue, priority, entry, execution_id)
  local name = key('execution', execution_id)
  local execution = fields(name)
  if execution.entry ~= entry or ended(execution.state) then
    drop_entry(queue, entry)
    redis.call('ZREM', key('waiting', args.lane .. ':' .. priority), execution_id)
    redis.call('ZREM', key('running', args.lane), execution_id)
    return
  end
  if expired(execution) then
    settle(execution_id, execution, 'expired')
  elseif tonumber(execution.attempts) >= args.max_attempts then
    -- This counts as a claim, so that the last worker, if it still lives, finds that it no longer holds the execution.
    redis.call('HSET', name, 'claims', execution.claims + 1)
    settle(execution_id, execution, 'failed', crashed(execution.attempts))
  else
    local attempt, claim = execution.attempts + 1, execution.claims + 1
    redis.call('HSET', name, 'state', 'running', 'attempts', attempt, 'claims', claim, 'worker', args.worker,
      'started_at', execution.started_at or now)
    if claim > 1 then -- an earlier attempt may have left these
      redis.call('HDEL', name, 'progress')
      redis.call('DEL', key('preview', execution_id))
    end
    redis.call('ZREM', key('waiting', args.lane .. ':' .. priority), execution_id)
    redis.call('ZADD', key('running', args.lane), now, execution_id)
    for _, job_id in ipairs(joined(execution_id)) do
      emit_status(job_id, 'running')
      announce(job_id, 'status')
    end
    local params, held = unpack(redis.call('MGET', key('params', execution_id), key('held', execution_id)))
    claimed[#claimed + 1] = {execution_id, attempt, claim, execution.method, execution.model, priority, params, execution.image,
      execution.request_id, execution.queued_at, execution.fresh, execution.model_digest or '', held or '', execution.inputs or '',
      execution.traceparent or '', execution.spared or '0', execution.further_models or ''}
  end
end

local function start_all(queue, priority, entries)
  for _, entry in ipairs(entries) do
    start(queue, priority, entry[1], entry[2][2])
  end
end

-- Take over what was given back or whose lease has run out. Return true if nothing of that kind is left.
local function take_over()
  for _, priority in ipairs(PRIORITIES) do
    local queue = key('queue', args.lane .. ':' .. priority)
    local cursor = redis.call('EXISTS', queue) == 1 and '0-0'
    while cursor do
      if #claimed == args.count then
        return false
      end
      local reply = redis.call('XAUTOCLAIM', queue, GROUP, args.worker, args.lease, cursor, 'COUNT', args.count - #claimed)
      start_all(queue, priority, reply[2])
      cursor = reply[1] ~= '0-0' and reply[1]
    end
  end
  return true
end

-- This is not done at each claim, because Redis goes through all that is running.
local returned = key('returned', args.lane)
if (args.looks or redis.call('EXISTS', returned) == 1) and take_over() then
  redis.call('DEL', returned)
end

for _, priority in ipairs(PRIORITIES) do
  local queue, waiting = key('queue', args.lane .. ':' .. priority), key('waiting', args.lane .. ':' .. priority)
  while #claimed < args.count and redis.call('ZCARD', waiting) > 0 and redis.call('EXISTS', queue) == 1 do
    local wanted = args.count - #claimed
    local reply = redis.call('XREADGROUP', 'GROUP', GROUP, args.worker, 'COUNT', wanted, 'STREAMS', queue, '>')
    local entries = reply and reply[1][2] or {}
    start_all(queue, priority, entries)
    if #entries < wanted then
      break
    end
  end
end

local last = redis.call('XREVRANGE', key('wakeup', args.lane), '+', '-', 'COUNT', 1)[1]
table.insert(claimed, 1, last and last[1] or '0-0')
return claimed
