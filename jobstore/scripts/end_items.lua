#!lua flags=allow-oom
-- End items of a batch. An item ends once, however often this is repeated.
--
-- Arguments: batch_id, feeder; items (numbers); counted_as ('succeeded', 'failed' or 'canceled' for each). The payload is a row (JSON text)
--   for each item, in the order of completion.
-- Returns 1, or 0 if the lease was lost.

if not feeds(args.batch_id, args.feeder) then
  return 0
end
local name, items, rows = key('batch', args.batch_id), key('batch_items', args.batch_id), key('batch_rows', args.batch_id)
for i, number in ipairs(args.items) do
  if redis.call('HDEL', items, number) == 1 then
    redis.call('RPUSH', rows, ARGV[i + 1])
    redis.call('HINCRBY', name, args.counted_as[i], 1)
  end
end
live_at_least(rows, redis.call('PTTL', name))
announce(args.batch_id, 'item')
return 1
