#!lua flags=allow-oom
-- Read where the pieces of some work are, and let them live as long as a result from now.
--
-- Arguments: work (sha256).
-- Returns names and files in turn. Example: {'7', '9f86…-01JDZ…'}

local pieces = key('pieces', args.work)
if tonumber(redis.call('ZSCORE', STORED, 'piece:' .. args.work) or 0) <= now then
  return {}
end
redis.call('PEXPIRE', pieces, HELD_LIFE)
keep_stored('piece:' .. args.work, args.ttl)
return redis.call('HGETALL', pieces)
