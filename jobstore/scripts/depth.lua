#!lua flags=no-writes
-- How long the queues are, in one shard.
--
-- Returns for the lanes fast and slow {queued, running, age of the oldest in ms}.

local lanes = {}
for i, lane in ipairs({'fast', 'slow'}) do
  local queued, oldest = 0, now
  for _, priority in ipairs(PRIORITIES) do
    local waiting = key('waiting', lane .. ':' .. priority)
    queued = queued + redis.call('ZCARD', waiting)
    local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
    oldest = math.min(oldest, tonumber(first[2] or now))
  end
  lanes[i] = {queued, redis.call('ZCARD', key('running', lane)), now - oldest}
end
return lanes
