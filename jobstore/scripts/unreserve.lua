#!lua flags=allow-oom
-- Take back the reservation of an idempotency key if its job was not made.
--
-- Arguments: reservation, value (as they were reserved).
-- Returns nothing.

local reservation = key('idempotency', args.reservation)
if redis.call('GET', reservation) == args.value then
  redis.call('DEL', reservation)
end
