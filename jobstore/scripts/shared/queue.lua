-- The queue of executions.
--
-- The queue of each lane and priority is a stream that one consumer group reads. The sorted set `waiting` holds the same executions in
-- order; it answers positions and ages. Idle workers block on the stream `wakeup`, which gets an entry when there is something to claim.
-- The key `returned` of a lane exists if executions may have been put back since the last claim that looked for them.

local function wake_workers(lane)
  redis.call('XADD', key('wakeup', lane), 'MAXLEN', 1, '*', 'lane', lane)
end

-- Queue an execution. `record` is a list of further fields and values of its hash, if there are any.
local function enqueue(execution_id, lane, priority, queued_at, record)
  local place = lane .. ':' .. priority
  local queue = key('queue', place)
  if redis.call('EXISTS', queue) == 0 then
    redis.call('XGROUP', 'CREATE', queue, GROUP, '0', 'MKSTREAM')
  end
  local entry = redis.call('XADD', queue, '*', 'execution', execution_id)
  redis.call('HSET', key('execution', execution_id), 'entry', entry, 'priority', priority, unpack(record or {}))
  redis.call('ZADD', key('waiting', place), queued_at, execution_id)
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

-- Put a running execution back into its queue, where it is first and can be claimed at once. `attempts` is what counts of it so far.
local function put_back(execution_id, execution, attempts)
  local name = key('execution', execution_id)
  local place = execution.lane .. ':' .. execution.priority
  redis.call('ZREM', key('running', execution.lane), execution_id)
  redis.call('HSET', name, 'state', 'queued', 'attempts', attempts)
  redis.call('HDEL', name, 'progress')
  if attempts == 0 then
    redis.call('HDEL', name, 'started_at')
  end
  redis.call('ZADD', key('waiting', place), execution.queued_at, execution_id)
  -- An idle time of a day is longer than any lease, so the next claim takes the entry over. JUSTID does not count a delivery.
  redis.call('XCLAIM', key('queue', place), GROUP, execution.worker, 0, execution.entry, 'IDLE', 86400000, 'JUSTID')
  redis.call('SET', key('returned', execution.lane), 1)
  wake_workers(execution.lane)
  execution = fields(name)
  for _, job_id in ipairs(joined(execution_id)) do
    emit_status(job_id, 'queued', queue_position(execution_id, execution))
    announce(job_id, 'status')
  end
end
