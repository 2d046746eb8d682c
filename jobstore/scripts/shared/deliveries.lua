-- Webhooks. The hash `webhook` of a job or a batch says where its end is told: url, events (separated by spaces), owner and kind. When the
-- end has come, it also has the state and the time of the end, and the sorted set `deliveries` lists it by the time of the next attempt.

local DELIVERY_LIFE = 691200000 -- eight days; all attempts together take less than four

-- Let the end of a job or a batch be told, if somebody wants to know of this state. A repetition changes nothing.
local function queue_delivery(id, state)
  local name, deliveries = key('webhook', id), key('deliveries', 'all')
  local events = redis.call('HGET', name, 'events')
  if not events or redis.call('HEXISTS', name, 'state') == 1 then
    return
  elseif not string.find(' ' .. events .. ' ', ' ' .. state .. ' ', 1, true) then
    redis.call('DEL', name)
    return
  end
  redis.call('HSET', name, 'state', state, 'ended_at', now)
  redis.call('PEXPIRE', name, DELIVERY_LIFE)
  redis.call('ZADD', deliveries, now, id)
  redis.call('PEXPIRE', deliveries, DELIVERY_LIFE)
end
