#!lua flags=allow-oom
-- Take webhooks whose time has come. Nobody else takes them until the lease has run out.
--
-- Arguments: lease (milliseconds); most (webhooks).
-- Returns {id, fields and values in turn} for each. `attempts` counts this attempt.

local deliveries, claimed = key('deliveries', 'all'), {}
for _, id in ipairs(redis.call('ZRANGE', deliveries, '-inf', now, 'BYSCORE', 'LIMIT', 0, args.most)) do
  local name = key('webhook', id)
  if redis.call('HEXISTS', name, 'state') == 1 then
    redis.call('HINCRBY', name, 'attempts', 1)
    redis.call('ZADD', deliveries, now + args.lease, id)
    claimed[#claimed + 1] = {id, redis.call('HGETALL', name)}
  else
    redis.call('ZREM', deliveries, id)
  end
end
return claimed
