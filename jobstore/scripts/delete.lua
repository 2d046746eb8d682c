#!lua flags=allow-oom
-- Delete a job, after canceling it if it has not ended. Its results are deleted too, unless another job has the same execution.
--
-- Arguments: job_id, owner_key.
-- Returns 1, or 0 if there is no such job.

local job = fields(key('job', args.job_id))
if job.owner_key ~= args.owner_key then
  return 0
end
local execution = fields(key('execution', job.execution_id))
if not ended(job_state(job, execution)) then
  withdraw(args.job_id, job, execution)
end
forget_job(args.job_id, job)
return 1
