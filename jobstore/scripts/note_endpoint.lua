#!lua flags=allow-oom
-- Note how an attempt to reach an endpoint went. After so many failures in a row, the endpoint is disabled for a time.
--
-- Arguments: owner_key; endpoint (sha256 of its address); url; error (absent if the attempt succeeded); gone (true: disable it at once);
--   most (failures in a row); pause (milliseconds for which it is disabled); most_listed (endpoints of an owner); life (milliseconds).
-- Returns 1 if this has disabled the endpoint, otherwise 0.

local name, list = key('endpoint', args.owner_key .. ':' .. args.endpoint), key('endpoints', args.owner_key)
redis.call('HSET', name, 'url', args.url, 'tried_at', now)
local disabled = 0
if args.error then
  local failures = redis.call('HINCRBY', name, 'failures', 1)
  redis.call('HSET', name, 'error', args.error)
  if args.gone or failures >= args.most then
    redis.call('HSET', name, 'disabled_until', now + args.pause)
    disabled = 1
  end
else
  redis.call('HSET', name, 'failures', 0)
  redis.call('HDEL', name, 'error', 'disabled_until')
end
redis.call('PEXPIRE', name, args.life)
redis.call('ZADD', list, now, args.endpoint)
redis.call('PEXPIRE', list, args.life)
for _, oldest in ipairs(redis.call('ZRANGE', list, 0, -args.most_listed - 1)) do
  redis.call('ZREM', list, oldest)
  redis.call('DEL', key('endpoint', args.owner_key .. ':' .. oldest))
end
return disabled
