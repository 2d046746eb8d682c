#!lua flags=allow-oom
-- Ends an execution with an error. Said again under the same claim, it answers the same.
--
-- a: execution, claim, error (JSON text)
-- Returns 1, or 0 where the execution is no longer the worker's.

local e = fields(key('execution', a.execution))
if e.state == 'failed' and tonumber(e.claims) == a.claim then
  return 1
elseif not holds(e, a.claim) then
  return 0
end
settle(a.execution, e, 'failed', 'error', a.error)
return 1
