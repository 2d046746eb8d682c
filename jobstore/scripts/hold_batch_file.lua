#!lua
-- Hold a file for a batch.
--
-- Arguments: batch_id; field (see batches.lua); file (sha256 of its content); owner_key (if given, this owner must have uploaded the
--   file); life (milliseconds, after which the sweep lets go of it); written (the file that was written for this call).
-- Returns {outcome, names of written files that are not used, detail}. The outcome is 'held', 'no_image', 'storage_full' with the bytes
-- stored, or 'send_images' if the file must be written first. Example: {'held', {}, 0}

local holds, list = key('batch_files', args.batch_id), key('batch_holds', 'all')
if redis.call('HEXISTS', holds, args.field) == 0 then
  local upload = args.owner_key and 'upload:' .. args.file .. ':' .. args.owner_key
  if upload and tonumber(redis.call('ZSCORE', STORED, upload) or 0) <= now then
    return {'no_image', spare(), 0}
  elseif not args.written[args.file] and redis.call('HEXISTS', FILES, args.file) == 0 then
    return {'send_images', spare(), 0}
  end
  local files = hold_all({args.file})
  if not files then
    return {'storage_full', spare(), tonumber(redis.call('HGET', FILES, 'bytes') or 0)}
  end
  redis.call('HSET', holds, args.field, files[1])
end
redis.call('ZADD', list, 'GT', now + args.life, args.batch_id)
live_at_least(holds, args.life + HELD_LIFE)
live_at_least(list, args.life + HELD_LIFE)
return {'held', spare(), 0}
