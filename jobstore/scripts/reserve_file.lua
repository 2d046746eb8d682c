#!lua
-- Counts a file before it is written, unless that were one too many.
--
-- a: name, size, life, max_stored_bytes
-- Returns {1 or 0, bytes stored}.

local index, total = key('index', 'files'), key('total', 'files')
local stored = tonumber(redis.call('GET', total) or 0)
if stored + a.size > a.max_stored_bytes then
  return {0, stored}
end
redis.call('ZADD', index, now + a.life, a.name)
redis.call('INCRBY', total, a.size)
live_at_least(index, a.life * 2)
live_at_least(total, a.life * 2)
return {1, stored + a.size}
