#!lua flags=allow-oom
-- Lets files live on.
--
-- a: names, life

local index = key('index', 'files')
for _, name in ipairs(a.names) do
  redis.call('ZADD', index, 'XX', 'GT', now + a.life, name)
end
live_at_least(index, a.life * 2)
live_at_least(key('total', 'files'), a.life * 2)
