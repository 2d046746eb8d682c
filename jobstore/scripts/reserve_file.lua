#!lua
-- Count a file in the account before it is written, unless it would exceed the limit.
--
-- Arguments: name, size (bytes), life (milliseconds), max_stored_bytes.
-- Returns {1 if the file fits, otherwise 0; the bytes stored now}. Example: {1, 73216}

local index, total = key('index', 'files'), key('total', 'files')
local stored = tonumber(redis.call('GET', total) or 0)
if stored + args.size > args.max_stored_bytes then
  return {0, stored}
end
redis.call('ZADD', index, now + args.life, args.name)
redis.call('INCRBY', total, args.size)
live_at_least(index, args.life * 2)
live_at_least(total, args.life * 2)
return {1, stored + args.size}
