#!lua
-- Reserves an idempotency key for a job that is about to be made.
--
-- a: reservation, value
-- Returns what it stood for before; nil where it is new.

local reservation = key('idempotency', a.reservation)
local earlier = redis.call('GET', reservation)
if not earlier then
  redis.call('SET', reservation, a.value, 'PX', a.ttl)
end
return earlier
