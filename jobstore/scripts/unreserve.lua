#!lua flags=allow-oom
-- Takes back an idempotency key's reservation, where it is still only that.
--
-- a: reservation, value

local reservation = key('idempotency', a.reservation)
if redis.call('GET', reservation) == a.value then
  redis.call('DEL', reservation)
end
