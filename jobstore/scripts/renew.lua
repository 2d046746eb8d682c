#!lua flags=allow-oom
-- Renew the leases of a worker's executions without counting a delivery. Extend the lives of their records if less than half is left.
--
-- Arguments: worker, executions ({{id, claim}, …}).
-- Returns 1 for each execution that the worker still holds or has just ended itself, and 0 for the others. Example: {1, 1, 0}

local held = {}
for i, pair in ipairs(args.executions) do
  local execution_id, claim = pair[1], pair[2]
  local execution = fields(key('execution', execution_id))
  local queue = execution.lane and key('queue', execution.lane .. ':' .. execution.priority)
  held[i] = ended_by(execution, claim) and 1 or 0
  if holds(execution, claim) and #redis.call('XCLAIM', queue, GROUP, args.worker, 0, execution.entry, 'JUSTID') == 1 then
    held[i] = 1
    if execution.expires_at - now < args.ttl / 2 then
      keep_execution(execution_id, args.ttl)
      for _, job_id in ipairs(joined(execution_id)) do
        keep_job(job_id, args.ttl)
      end
    end
  end
end
return held
