#!lua
-- Make a set of uploads, whose files are held already, unless the owner has as many sets as one may have.
--
-- Arguments: set_id, owner_key, record (JSON text), life (milliseconds), most (sets of an owner).
-- Returns the number of sets that the owner has with this one, or -1 if there are too many.

local sets = key('sets', args.owner_key)
redis.call('ZREMRANGEBYSCORE', sets, '-inf', now)
local count = redis.call('ZCARD', sets)
if count >= args.most then
  return -1
end
redis.call('SET', key('set', args.owner_key .. ':' .. args.set_id), args.record, 'PX', args.life)
redis.call('ZADD', sets, now + args.life, args.set_id)
live_at_least(sets, args.life)
return count + 1
