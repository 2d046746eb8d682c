#!lua
-- Take the leases of batches that nobody feeds.
--
-- Arguments: feeder (a name that no other feeder has); lease (milliseconds); most (batches).
-- Returns {id, fields and values in turn, items} for each, as read_batches.lua does.

local feeding, claimed = key('feeding', 'all'), {}
for _, batch_id in ipairs(redis.call('ZRANGE', feeding, '-inf', now, 'BYSCORE', 'LIMIT', 0, args.most)) do
  local name = key('batch', batch_id)
  if redis.call('EXISTS', name) == 1 then
    redis.call('ZADD', feeding, now + args.lease, batch_id)
    redis.call('HSET', name, 'feeder', args.feeder)
    claimed[#claimed + 1] = {batch_id, redis.call('HGETALL', name), redis.call('HGETALL', key('batch_items', batch_id))}
  else
    redis.call('ZREM', feeding, batch_id)
  end
end
return claimed
