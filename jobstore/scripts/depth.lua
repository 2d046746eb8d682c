#!lua flags=no-writes
-- Tell how long the queues of this shard are.
--
-- Arguments: none.
-- Returns {queued, running, age of the oldest queued execution in ms} for the lanes fast and slow. Example: {{3, 1, 250}, {0, 2, 0}}

local lanes = {}
for i, lane in ipairs(LANES) do
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
