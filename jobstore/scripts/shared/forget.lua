-- Delete records. The functions return nothing unless they say so.

local function forget_execution(execution_id)
  local execution = key('execution', execution_id)
  local execution_key = redis.call('HGET', execution, 'execution_key')
  drop_all(redis.call('GET', key('held', execution_id)))
  redis.call('ZREM', STORED, 'result:' .. execution_id)
  redis.call('ZREM', ENDED, 'execution:' .. execution_id)
  for _, kind in ipairs({'params', 'result', 'held', 'joined', 'preview'}) do
    redis.call('DEL', key(kind, execution_id))
  end
  redis.call('DEL', execution)
  local latest = execution_key and key('latest', execution_key)
  if latest and redis.call('GET', latest) == execution_id then
    redis.call('DEL', latest)
  end
end

-- Delete a job that has ended, and its execution if no other job has it.
local function forget_job(job_id, job)
  redis.call('SREM', key('joined', job.execution_id), job_id)
  redis.call('ZREM', key('jobs', job.owner_key), job_id)
  redis.call('ZREM', ENDED, 'job:' .. job_id)
  redis.call('DEL', key('job', job_id))
  redis.call('PEXPIRE', key('events', job_id), 10000) -- long enough for those who follow the job to read its end
  local state = redis.call('HGET', key('execution', job.execution_id), 'state')
  if state and ended(state) and redis.call('SCARD', key('joined', job.execution_id)) == 0 then
    forget_execution(job.execution_id)
  end
end

-- Delete the oldest record of the shard with all jobs that have it, at most 100 of them at a time. Return false if there is none.
local function forget_oldest(reason)
  local stored = redis.call('ZRANGE', STORED, 0, 0, 'WITHSCORES')
  local record = redis.call('ZRANGE', ENDED, 0, 0, 'WITHSCORES')
  local member = record[1]
  if stored[1] and (not member or stored[2] + args.ttl < tonumber(record[2])) then
    local time = tonumber(stored[2])
    member = string.match(stored[1], '^result:(.*)$')
    remove_stored(stored[1], time, reason)
    if not member then
      return true
    end
    member = 'execution:' .. member
  elseif not member then
    return false
  end
  local kind, id = string.match(member, '^(%l+):(.*)$')
  redis.call('ZREM', ENDED, member)
  local job_ids = kind == 'job' and {id} or redis.call('SRANDMEMBER', key('joined', id), 100)
  for _, job_id in ipairs(job_ids) do
    local job = fields(key('job', job_id))
    if job.execution_id then
      forget_job(job_id, job)
      count_eviction('record', reason)
    else
      redis.call('SREM', key('joined', id), job_id)
    end
  end
  if kind == 'execution' then
    if redis.call('SCARD', key('joined', id)) == 0 then
      forget_execution(id)
    else
      list_ended(member, -now) -- it is the oldest still
    end
  end
  return true
end

-- Delete the oldest ended jobs of an owner until at most so many are left. What waits or runs is passed over.
local function forget_jobs_of(owner_key, most)
  local jobs = key('jobs', owner_key)
  local excess, passed = redis.call('ZCARD', jobs) - most, 0
  while excess > 0 do
    local oldest = redis.call('ZRANGE', jobs, passed, passed + 9)
    if #oldest == 0 then
      return
    end
    for _, job_id in ipairs(oldest) do
      local job = fields(key('job', job_id))
      local execution = job.execution_id and fields(key('execution', job.execution_id))
      if execution and not ended(job_state(job, execution)) then
        passed = passed + 1
      elseif excess > 0 then
        excess = excess - 1
        if execution then
          forget_job(job_id, job)
          count_eviction('record', 'records')
        else
          redis.call('ZREM', jobs, job_id)
        end
      end
    end
  end
end
