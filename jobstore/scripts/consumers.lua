#!lua flags=allow-oom
-- Removes consumers that hold nothing and were not heard of for `idle` ms; one that holds executions stays until they are taken over.
--
-- a: idle, worker (absent: any)

local removed = 0
for _, lane in ipairs({'fast', 'slow'}) do
  for _, priority in ipairs(PRIORITIES) do
    local queue = key('queue', lane .. ':' .. priority)
    local consumers = redis.call('EXISTS', queue) == 1 and redis.call('XINFO', 'CONSUMERS', queue, GROUP) or {}
    for _, flat in ipairs(consumers) do
      local consumer = {}
      for i = 1, #flat, 2 do
        consumer[flat[i]] = flat[i + 1]
      end
      local meant = not a.worker or consumer.name == a.worker
      if meant and consumer.pending == 0 and consumer.idle >= a.idle then
        redis.call('XGROUP', 'DELCONSUMER', queue, GROUP, consumer.name)
        removed = removed + 1
      end
    end
  end
end
return removed
