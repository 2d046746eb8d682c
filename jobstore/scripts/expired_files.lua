#!lua flags=no-writes
-- Which files may be deleted: those past their life, and those of `names` that nobody knows.
--
-- a: names

local index = key('index', 'files')
local found = redis.call('ZRANGEBYSCORE', index, '-inf', now)
for _, name in ipairs(a.names) do
  if not redis.call('ZSCORE', index, name) then
    found[#found + 1] = name
  end
end
return found
