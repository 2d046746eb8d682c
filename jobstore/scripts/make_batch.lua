#!lua
-- Make a batch, whose files are held already. A repetition gets the same answer.
--
-- Arguments: batch_id, owner, owner_key, request_id; total (items); segments (files of items); life (milliseconds until it is given up);
--   digest (sha256 of the request); reservation (of the idempotency key, absent without one); most (unfinished batches of an owner);
--   most_listed (batches of an owner).
-- Returns {outcome, detail}: {'created', ''}, {'caller_limit', the owner's unfinished batches}, or {'used', value of the idempotency key}.

local name, active = key('batch', args.batch_id), key('active_batches', args.owner_key)
if redis.call('EXISTS', name) == 1 then
  return {'created', ''}
end
local reservation = args.reservation and key('idempotency', args.reservation)
local earlier = reservation and redis.call('GET', reservation)
if earlier then
  return {'used', earlier}
end
redis.call('ZREMRANGEBYSCORE', active, '-inf', now - args.record_ttl)
local unfinished = redis.call('ZCARD', active)
if unfinished >= args.most then
  return {'caller_limit', tostring(unfinished)}
end
local deadline, lifetime = now + args.life, args.life + args.record_ttl
redis.call('HSET', name, 'owner', args.owner, 'owner_key', args.owner_key, 'request_id', args.request_id, 'state', 'running',
  'total', args.total, 'segments', args.segments, 'taken', 0, 'succeeded', 0, 'failed', 0, 'canceled', 0, 'created_at', now,
  'expires_at', deadline)
redis.call('PEXPIRE', name, lifetime)
redis.call('ZADD', active, deadline, args.batch_id)
redis.call('PEXPIRE', active, lifetime)
local list, feeding = key('batches', args.owner_key), key('feeding', 'all')
redis.call('ZADD', list, 0, args.batch_id)
redis.call('ZREMRANGEBYRANK', list, 0, -args.most_listed - 1)
redis.call('PEXPIRE', list, lifetime)
redis.call('ZADD', feeding, now, args.batch_id)
redis.call('PEXPIRE', feeding, lifetime)
if reservation then
  redis.call('SET', reservation, args.digest .. ' ' .. args.batch_id .. ' made', 'PX', args.ttl)
end
return {'created', ''}
