#!lua flags=allow-oom
-- Let go of files that a batch holds in this shard, and forget the notes about its items.
--
-- Arguments: batch_id; most (files).
-- Returns 1 if more may be left, otherwise 0.

redis.call('DEL', key('item_ends', args.batch_id))
return release_batch_files(args.batch_id, args.most) and 0 or 1
