#!lua flags=allow-oom
-- Gives an execution back: it stays first in its queue, claimable at once, and the attempt does not count.
--
-- a: execution, claim
-- Returns 1, or 0 where the execution is no longer the worker's.

local name = key('execution', a.execution)
local e = fields(name)
if not holds(e, a.claim) then
  return 0
end
local place = e.lane .. ':' .. e.priority
redis.call('ZREM', key('running', e.lane), a.execution)
redis.call('HSET', name, 'state', 'queued', 'attempt', e.attempt - 1)
redis.call('HDEL', name, 'progress')
if e.attempt == '1' then
  redis.call('HDEL', name, 'started')
end
redis.call('ZADD', key('waiting', place), e.queued, a.execution)
redis.call('PEXPIRE', key('waiting', place), a.record_ttl)
-- Idle for a day: beyond any lease, so that the next claim takes it over. JUSTID: no delivery is counted.
redis.call('XCLAIM', key('queue', place), GROUP, e.worker, 0, e.entry, 'IDLE', 86400000, 'JUSTID')
wake(e.lane)
e = fields(name)
for _, job in ipairs(joined(a.execution)) do
  emit_status(job, 'queued', position(a.execution, e))
end
return 1
