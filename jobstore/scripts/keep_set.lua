#!lua flags=allow-oom
-- Let a set of uploads live longer, because it is used.
--
-- Arguments: set_id, owner_key, life (milliseconds).
-- Returns 1, or 0 if there is no such set.

local name, sets = key('set', args.owner_key .. ':' .. args.set_id), key('sets', args.owner_key)
if redis.call('EXISTS', name) == 0 then
  return 0
end
redis.call('PEXPIRE', name, args.life)
redis.call('ZADD', sets, 'XX', now + args.life, args.set_id)
live_at_least(sets, args.life)
return 1
