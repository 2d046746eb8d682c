#!lua flags=allow-oom
-- Delete a job, after canceling it if it has not ended. Its results are deleted too, unless another job has the same execution.
--
-- Arguments: job_id, owner_key.
-- Returns {1, names of stored files to delete}, or {0, {}} if there is no such job. Example: {1, {'01JDZ…-52113'}}

local job = fields(key('job', args.job_id))
if job.owner_key ~= args.owner_key then
  return {0, {}}
end
local execution_id = job.execution_id
local execution = fields(key('execution', execution_id))
if not ended(job_state(job, execution)) then
  withdraw(args.job_id, job, execution)
end
redis.call('SREM', key('joined', execution_id), args.job_id)
redis.call('ZREM', key('jobs', job.owner_key), args.job_id)
redis.call('DEL', key('job', args.job_id))
redis.call('PEXPIRE', key('events', args.job_id), 10000) -- long enough for those who follow the job to read its end
local files = {}
if execution.state and redis.call('SCARD', key('joined', execution_id)) == 0 then
  for _, file in pairs(cjson.decode(execution.files or '{}')) do
    files[#files + 1] = file
  end
  redis.call('DEL', key('execution', execution_id), key('joined', execution_id), key('artifacts', execution_id),
    key('preview', execution_id))
  if redis.call('GET', key('latest', execution.execution_key)) == execution_id then
    redis.call('DEL', key('latest', execution.execution_key))
  end
end
return {1, files}
