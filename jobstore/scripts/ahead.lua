#!lua flags=no-writes
-- Count the executions of a lane, in this shard, that come before an execution queued in another shard.
--
-- Arguments: lane; priority and queued_at of that execution; ties (true: executions queued in the same millisecond count).
-- Returns the number. Example: 3

local ahead = 0
for _, priority in ipairs(PRIORITIES) do
  local waiting = key('waiting', args.lane .. ':' .. priority)
  if priority == args.priority then
    return ahead + redis.call('ZCOUNT', waiting, '-inf', (args.ties and '' or '(') .. args.queued_at)
  end
  ahead = ahead + redis.call('ZCARD', waiting)
end
