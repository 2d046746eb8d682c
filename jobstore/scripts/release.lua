#!lua flags=allow-oom
-- Give an execution back. It stays first in its queue, can be claimed at once, and the attempt does not count.
--
-- Arguments: execution_id, claim.
-- Returns 1, or 0 if the worker no longer holds the execution. Example: 1

local execution_id = args.execution_id
local name = key('execution', execution_id)
local execution = fields(name)
if not holds(execution, args.claim) then
  return 0
end
local place = execution.lane .. ':' .. execution.priority
redis.call('ZREM', key('running', execution.lane), execution_id)
redis.call('HSET', name, 'state', 'queued', 'attempts', execution.attempts - 1)
redis.call('HDEL', name, 'progress')
if execution.attempts == '1' then
  redis.call('HDEL', name, 'started_at')
end
redis.call('ZADD', key('waiting', place), execution.queued_at, execution_id)
redis.call('PEXPIRE', key('waiting', place), args.record_ttl)
-- An idle time of a day is longer than any lease, so the next claim takes the entry over. JUSTID does not count a delivery.
redis.call('XCLAIM', key('queue', place), GROUP, execution.worker, 0, execution.entry, 'IDLE', 86400000, 'JUSTID')
wake_workers(execution.lane)
execution = fields(name)
for _, job_id in ipairs(joined(execution_id)) do
  emit_status(job_id, 'queued', queue_position(execution_id, execution))
  announce(job_id, 'status')
end
return 1
