#!lua flags=no-writes
-- How many executions of a lane, in this shard, come before one that was queued in another.
--
-- a: lane, priority, queued, ties (whether those of the same millisecond count)

local ahead = 0
for _, priority in ipairs(PRIORITIES) do
  local waiting = key('waiting', a.lane .. ':' .. priority)
  if priority == a.priority then
    return ahead + redis.call('ZCOUNT', waiting, '-inf', (a.ties and '' or '(') .. a.queued)
  end
  ahead = ahead + redis.call('ZCARD', waiting)
end
