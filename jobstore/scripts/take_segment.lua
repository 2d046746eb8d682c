#!lua
-- Take the items of the next segment, so that they become jobs now. A repetition gets the same answer.
--
-- Arguments: batch_id, feeder; segment (its number); first (number of its first item); count (items).
-- Returns 1, or 0 if the lease was lost.

if not feeds(args.batch_id, args.feeder) then
  return 0
end
local name, items = key('batch', args.batch_id), key('batch_items', args.batch_id)
if tonumber(redis.call('HGET', name, 'taken')) == args.segment then
  for number = args.first, args.first + args.count - 1 do
    redis.call('HSET', items, number, 's' .. args.segment)
  end
  redis.call('HSET', name, 'taken', args.segment + 1)
  live_at_least(items, redis.call('PTTL', name))
end
return 1
