#!lua flags=allow-oom
-- Cancel a job. Its execution goes on while another job waits for it.
--
-- Arguments: job_id, owner_key.
-- Returns {the state before, the job's snapshot}, or nil if there is no such job. Example: {'running', {'id', '01K5…', …}}

local job = fields(key('job', args.job_id))
if job.owner_key ~= args.owner_key then
  return nil
end
local execution = fields(key('execution', job.execution_id))
local before = job_state(job, execution)
if not ended(before) then
  withdraw(args.job_id, job, execution)
end
return {before, snapshot(args.job_id, args.owner_key)}
