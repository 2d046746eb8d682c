#!lua
-- Keep a new API key.
--
-- Arguments: api_key (its id), fields (names and values in turn), life (milliseconds until it expires), longest (the longest life).
-- Returns 1, or 0 if there is a key with this id.

local name = key('api_key', args.api_key)
if redis.call('EXISTS', name) == 1 then
  return 0
end
redis.call('HSET', name, unpack(args.fields))
redis.call('PEXPIRE', name, args.life)
redis.call('SADD', key('api_keys', 'all'), args.api_key)
redis.call('PEXPIRE', key('api_keys', 'all'), args.longest)
return 1
