#!lua flags=allow-oom
-- Let stored files live for `life` milliseconds from now.
--
-- Arguments: names, life.
-- Returns nothing.

local index = key('index', 'files')
for _, name in ipairs(args.names) do
  redis.call('ZADD', index, 'XX', 'GT', now + args.life, name)
end
live_at_least(index, args.life * 2)
live_at_least(key('total', 'files'), args.life * 2)
