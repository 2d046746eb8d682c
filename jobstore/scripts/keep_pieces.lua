#!lua
-- Keep pieces of some work. They replace pieces of the same names, and they live as long as a result from their last use.
--
-- Arguments: work (sha256), pieces ({{name, sha256}, …}), written (the files that were written for this call).
-- Returns {outcome, names of written files that are not used, detail}. The outcome is 'kept', or 'storage_full' with the bytes stored.
-- Example: {'kept', {}, 0}

local pieces, digests = key('pieces', args.work), {}
for i, piece in ipairs(args.pieces) do
  digests[i] = piece[2]
end
local files = hold_all(digests)
if not files then
  return {'storage_full', spare(), tonumber(redis.call('HGET', FILES, 'bytes') or 0)}
end
for i, piece in ipairs(args.pieces) do
  drop(redis.call('HGET', pieces, piece[1]) or '')
  redis.call('HSET', pieces, piece[1], files[i])
end
redis.call('PEXPIRE', pieces, HELD_LIFE)
keep_stored('piece:' .. args.work, args.ttl)
return {'kept', spare(), 0}
