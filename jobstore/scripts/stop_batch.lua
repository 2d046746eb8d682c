#!lua flags=allow-oom
-- Ask for the end of a batch: its feeder cancels what has not ended, or deletes everything.
--
-- Arguments: batch_id, owner_key; how ('canceled' or 'deleted').
-- Returns the state of the batch before, or nil if there is no such batch. Example: 'running'

local name = key('batch', args.batch_id)
local batch = fields(name)
if batch.owner_key ~= args.owner_key or batch.stop == 'deleted' then
  return nil
end
if args.how == 'deleted' then
  redis.call('ZREM', key('batches', args.owner_key), args.batch_id)
  redis.call('ZADD', key('feeding', 'all'), 'NX', now, args.batch_id)
  live_at_least(key('feeding', 'all'), args.record_ttl)
  live_at_least(name, args.record_ttl)
  redis.call('HSET', name, 'stop', 'deleted')
  announce(args.batch_id, 'done')
elseif batch.state == 'running' and not batch.stop then
  redis.call('HSET', name, 'stop', 'canceled')
  announce(args.batch_id, 'item')
end
return batch.state
