#!lua flags=allow-oom
-- Renews the leases of a worker's executions, without counting a delivery, and their lives where these run short.
--
-- a: worker, executions = {{id, claim}, ...}
-- Returns for each whether it is still the worker's.

local held = {}
for i, pair in ipairs(a.executions) do
  local execution, claim = pair[1], pair[2]
  local e = fields(key('execution', execution))
  local queue = e.lane and key('queue', e.lane .. ':' .. e.priority)
  held[i] = 0
  if holds(e, claim) and #redis.call('XCLAIM', queue, GROUP, a.worker, 0, e.entry, 'JUSTID') == 1 then
    held[i] = 1
    if e.expires - now < a.ttl / 2 then
      redis.call('PEXPIRE', queue, a.record_ttl)
      redis.call('PEXPIRE', key('running', e.lane), a.record_ttl)
      keep_execution(execution)
      for _, job in ipairs(joined(execution)) do
        keep_job(job)
      end
    end
  end
end
return held
