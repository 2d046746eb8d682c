#!lua flags=allow-oom
-- End an attempt to deliver a webhook. With a delay there is another attempt, and without one the webhook is forgotten.
--
-- Arguments: id; attempt (its number); delay (milliseconds, absent if no attempt follows).
-- Returns 1, or 0 if another process has taken the webhook meanwhile.

local name, deliveries = key('webhook', args.id), key('deliveries', 'all')
if tonumber(redis.call('HGET', name, 'attempts') or -1) ~= args.attempt then
  return 0
elseif args.delay then
  redis.call('ZADD', deliveries, now + args.delay, args.id)
else
  redis.call('ZREM', deliveries, args.id)
  redis.call('DEL', name)
end
return 1
