#!lua flags=no-writes
-- Read batches.
--
-- Arguments: batch_ids, owner_key.
-- Returns {id, fields and values in turn, items that are taken and have not ended} for each batch that exists and belongs to the owner.
-- The items are numbers and values in turn; a value is 's<segment>' or 's<segment> <job>'. Example:
-- {{'01K5…', {'state', 'running', 'total', '3', …}, {'2', 's0 01K5…'}}}

local found = {}
for _, batch_id in ipairs(args.batch_ids) do
  local flat = redis.call('HGETALL', key('batch', batch_id))
  local batch = as_table(flat)
  if batch.owner_key == args.owner_key and batch.stop ~= 'deleted' then
    found[#found + 1] = {batch_id, flat, redis.call('HGETALL', key('batch_items', batch_id))}
  end
end
return found
