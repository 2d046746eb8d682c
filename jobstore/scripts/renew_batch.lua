#!lua flags=allow-oom
-- Renew the lease of a batch and tell how the batch is. With a lease of 0, another feeder may take the batch over at once.
--
-- Arguments: batch_id, feeder; lease (milliseconds).
-- Returns {'' or how the batch is to end ('canceled', 'deleted' or 'expired'), segments taken, items that are taken and have not ended},
-- or nil if the lease was lost. Example: {'', 3, 57}

if not feeds(args.batch_id, args.feeder) then
  return nil
end
local name = key('batch', args.batch_id)
local batch = fields(name)
redis.call('ZADD', key('feeding', 'all'), now + args.lease, args.batch_id)
local stop = batch.stop or (batch.state == 'running' and expired(batch) and 'expired') or ''
if stop == 'expired' then
  redis.call('HSET', name, 'stop', stop)
end
for _, each in ipairs({name, key('batch_items', args.batch_id), key('batch_rows', args.batch_id), key('feeding', 'all'),
  key('batches', batch.owner_key), key('active_batches', batch.owner_key)}) do
  live_at_least(each, args.record_ttl)
end
return {stop, tonumber(batch.taken), redis.call('HLEN', key('batch_items', args.batch_id))}
