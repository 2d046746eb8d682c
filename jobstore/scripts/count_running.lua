#!lua flags=no-writes
-- Count the jobs of a list whose executions a worker has started.
--
-- Arguments: job_ids.
-- Returns the number. Example: 3

local running = 0
for _, job_id in ipairs(args.job_ids) do
  local execution_id = redis.call('HGET', key('job', job_id), 'execution_id')
  if execution_id and redis.call('HGET', key('execution', execution_id), 'state') == 'running' then
    running = running + 1
  end
end
return running
