#!lua flags=allow-oom
-- Remove queue consumers that hold nothing and have been silent for `idle` milliseconds. A consumer that holds executions stays until
-- other workers have taken them over.
--
-- Arguments: idle, worker (absent: the consumers of all workers).
-- Returns how many were removed. Example: 2

local removed = 0
for _, lane in ipairs(LANES) do
  for _, priority in ipairs(PRIORITIES) do
    local queue = key('queue', lane .. ':' .. priority)
    local consumers = redis.call('EXISTS', queue) == 1 and redis.call('XINFO', 'CONSUMERS', queue, GROUP) or {}
    for _, flat in ipairs(consumers) do
      local consumer = {}
      for i = 1, #flat, 2 do
        consumer[flat[i]] = flat[i + 1]
      end
      local is_meant = not args.worker or consumer.name == args.worker
      if is_meant and consumer.pending == 0 and consumer.idle >= args.idle then
        redis.call('XGROUP', 'DELCONSUMER', queue, GROUP, consumer.name)
        removed = removed + 1
      end
    end
  end
end
return removed
