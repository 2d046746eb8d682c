#!lua flags=allow-oom
-- End a batch whose items have all ended, or forget a deleted one.
--
-- Arguments: batch_id, feeder.
-- Returns 1, or 0 if the lease was lost.

if not feeds(args.batch_id, args.feeder) then
  return 0
end
local name, rows = key('batch', args.batch_id), key('batch_rows', args.batch_id)
local batch = fields(name)
redis.call('ZREM', key('feeding', 'all'), args.batch_id)
redis.call('ZREM', key('active_batches', batch.owner_key), args.batch_id)
redis.call('DEL', key('batch_items', args.batch_id))
if batch.stop == 'deleted' then
  redis.call('DEL', name, rows, key('webhook', args.batch_id))
  return 1
end
local state = 'partial'
if batch.stop and (batch.stop == 'expired' or tonumber(batch.canceled) > 0) then
  state = batch.stop
elseif batch.succeeded == batch.total then
  state = 'succeeded'
elseif batch.failed == batch.total then
  state = 'failed'
end
redis.call('HSET', name, 'state', state, 'finished_at', now, 'expires_at', now + args.ttl)
redis.call('HDEL', name, 'feeder', 'stop')
redis.call('PEXPIRE', name, args.record_ttl)
redis.call('PEXPIRE', rows, args.record_ttl)
live_at_least(key('batches', batch.owner_key), args.record_ttl)
announce(args.batch_id, 'done')
queue_delivery(args.batch_id, state)
return 1
