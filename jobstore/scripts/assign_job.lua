#!lua
-- Give an item the id of its job before the job is submitted. An item keeps the first id that it was given.
--
-- Arguments: batch_id, feeder; item (its number); job_id.
-- Returns the id, or nil if the lease was lost or the item has ended. Example: '01K5…'

local items = key('batch_items', args.batch_id)
local value = feeds(args.batch_id, args.feeder) and redis.call('HGET', items, args.item)
if not value then
  return nil
end
local segment, job_id = string.match(value, '^(s%d+) ?(%w*)$')
if job_id ~= '' then
  return job_id
end
redis.call('HSET', items, args.item, segment .. ' ' .. args.job_id)
return args.job_id
