#!lua flags=allow-oom
-- Let the oldest results, uploads, pieces and records give way.
--
-- Arguments: bytes (of files that must become garbage, because the disk is nearly full; 0: none);
--   fullness (the part of Redis's memory that may be used, 0 to 1; records give way until it is no longer exceeded); most (records).
-- Returns {bytes that are free now, records deleted, 1 if the memory is still too full}. Example: {143210, 0, 0}

local function memory_is_full()
  local info = redis.call('INFO', 'memory')
  local used, limit = string.match(info, 'used_memory:(%d+)'), string.match(info, '[\r\n]maxmemory:(%d+)')
  return tonumber(limit) > 0 and tonumber(used) > tonumber(limit) * args.fullness
end

local freed = args.bytes > 0 and give_way(args.bytes, 'disk') or 0
local records, full = 0, memory_is_full()
while full and records < args.most and forget_oldest('memory') do
  records = records + 1
  full = records % 20 ~= 0 or memory_is_full()
end
return {freed, records, full and 1 or 0}
