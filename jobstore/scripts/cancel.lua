#!lua flags=allow-oom
-- Cancels a job. Its execution goes on while another job wants it.
--
-- a: job, owner_key
-- Returns {state before, view}; nil where the job is not there.

local j = fields(key('job', a.job))
if j.owner ~= a.owner_key then
  return nil
end
local e = fields(key('execution', j.execution))
local before = job_state(j, e)
if not ended(before) then
  withdraw(a.job, j, e)
end
return {before, snapshot(a.job, a.owner_key)}
