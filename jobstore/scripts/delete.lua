#!lua flags=allow-oom
-- Forgets a job, canceling it first where it has not ended; its results too, unless another job stands for them.
--
-- a: job, owner_key
-- Returns {1, files to delete}; {0, {}} where the job is not there.

local j = fields(key('job', a.job))
if j.owner ~= a.owner_key then
  return {0, {}}
end
local e = fields(key('execution', j.execution))
if not ended(job_state(j, e)) then
  withdraw(a.job, j, e)
end
redis.call('SREM', key('joined', j.execution), a.job)
redis.call('ZREM', key('jobs', j.owner), a.job)
redis.call('DEL', key('job', a.job))
redis.call('PEXPIRE', key('events', a.job), 10000) -- whoever follows it reads its end
local files = {}
if e.state and redis.call('SCARD', key('joined', j.execution)) == 0 then
  for _, file in pairs(cjson.decode(e.files or '{}')) do
    files[#files + 1] = file
  end
  redis.call('DEL', key('execution', j.execution), key('joined', j.execution), key('artifacts', j.execution), key('preview', j.execution))
  if redis.call('GET', key('latest', e.execution_key)) == j.execution then
    redis.call('DEL', key('latest', e.execution_key))
  end
end
return {1, files}
