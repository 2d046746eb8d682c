#!lua flags=no-writes
-- List the files that may be deleted: those whose life is over, and those of `names` that the account does not know.
--
-- Arguments: names.
-- Returns the names. Example: {'01JDZ…-52113'}

local index = key('index', 'files')
local found = redis.call('ZRANGEBYSCORE', index, '-inf', now)
for _, name in ipairs(args.names) do
  if not redis.call('ZSCORE', index, name) then
    found[#found + 1] = name
  end
end
return found
