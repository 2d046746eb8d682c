-- Ends an execution with an error. Said again by the same attempt, it answers the same.
--
-- a: execution, attempt, error (JSON text)
-- Returns 1, or 0 where the execution is no longer the worker's.

local e = fields(key('execution', a.execution))
if e.state == 'failed' and tonumber(e.attempt) == a.attempt then
  return 1
elseif not holds(e, a.attempt) then
  return 0
end
settle(a.execution, e, 'failed', 'error', a.error)
return 1
