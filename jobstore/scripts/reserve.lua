#!lua
-- Reserve an idempotency key for a job that is about to be submitted.
--
-- Arguments: reservation (owner and sha256 of the key), value ('<sha256 of the request> <job id> reserved').
-- Returns the value that the key had before, or nil if the key is new. Example: '2c26… 01K5… made'

local reservation = key('idempotency', args.reservation)
local earlier = redis.call('GET', reservation)
if not earlier then
  redis.call('SET', reservation, args.value, 'PX', args.ttl)
end
return earlier
