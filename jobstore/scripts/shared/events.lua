-- The events of jobs.
--
-- Each job has a sorted set of events, '<sequence> <type> <json>' with the sequence number as the score.
-- Events are also announced in two streams of the shard: the ends of jobs in `all`, where workers of earlier versions announce all events,
-- and other events in `changes`. The listener of each service reads them for all its waiting callers, the second one only while somebody
-- follows a job. So most jobs wake it once.

local EVENTS_LINGER = 60000 -- how long the events of a job that has ended can be read one by one

-- Write an event. The caller has written its sequence number to the job.
local function write_event(job_id, sequence, kind, json)
  local events = key('events', job_id)
  redis.call('ZADD', events, sequence, sequence .. ' ' .. kind .. ' ' .. json)
  if sequence == 1 then
    redis.call('PEXPIRE', events, args.record_ttl)
  elseif sequence > args.max_events then
    redis.call('ZREMRANGEBYSCORE', events, '-inf', sequence - args.max_events)
  end
end

local function emit(job_id, kind, json)
  write_event(job_id, redis.call('HINCRBY', key('job', job_id), 'sequence', 1), kind, json)
end

local function announce(job_id, kind)
  local stream = key('announcements', kind == 'done' and 'all' or 'changes')
  redis.call('XADD', stream, 'MAXLEN', '~', args.max_events, '*', 'job', job_id, 'type', kind)
end

local function status_json(state, position)
  return '{"state":"' .. state .. '","queue_position":' .. (position or 'null') .. '}'
end

local function emit_status(job_id, state, position)
  emit(job_id, 'status', status_json(state, position))
end

-- Write the last event of a job, and let its webhook tell of it. The caller has written the event's sequence number to the job. The events
-- are dropped soon; later readers get the end from the record.
local function write_done(job_id, sequence, state)
  write_event(job_id, sequence, 'done', '{"state":"' .. state .. '"}')
  redis.call('PEXPIRE', key('events', job_id), EVENTS_LINGER)
  queue_delivery(job_id, state)
end

-- Return the ids of the jobs that wait for an execution or have its result. Canceled and deleted jobs are not among them.
local function joined(execution_id)
  local job_ids = {}
  for _, job_id in ipairs(redis.call('SMEMBERS', key('joined', execution_id))) do
    if redis.call('EXISTS', key('job', job_id)) == 1 then
      job_ids[#job_ids + 1] = job_id
    end
  end
  return job_ids
end
