#!lua flags=allow-oom
-- Let the files that a batch holds in this shard live longer.
--
-- Arguments: batch_id; life (milliseconds).
-- Returns 1 if the batch holds files here, otherwise 0.

local holds, list = key('batch_files', args.batch_id), key('batch_holds', 'all')
if redis.call('EXISTS', holds) == 0 then
  return 0
end
redis.call('ZADD', list, 'GT', now + args.life, args.batch_id)
for _, name in ipairs({holds, list}) do
  live_at_least(name, args.life + HELD_LIFE)
end
return 1
