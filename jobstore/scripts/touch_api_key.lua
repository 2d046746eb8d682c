#!lua flags=allow-oom
-- Note that an API key is used now. A key that does not expire lives for the longest time again.
--
-- Arguments: api_key (its id), longest (the longest life, milliseconds).
-- Returns 1, or 0 if there is no such key.

local name = key('api_key', args.api_key)
local expires_at = redis.call('HGET', name, 'expires_at')
if not expires_at then
  return 0
end
redis.call('HSET', name, 'last_used_at', now)
if expires_at == '' then
  redis.call('PEXPIRE', name, args.longest)
end
redis.call('PEXPIRE', key('api_keys', 'all'), args.longest)
return 1
