#!lua
-- Note where the end of a job or a batch is to be told. If it has ended already, that is told at once.
--
-- Arguments: id; kind ('job' or 'batch'); owner, url, events (separated by spaces); life (milliseconds).
-- Returns 1.

local name = key('webhook', args.id)
if redis.call('EXISTS', name) == 0 then
  redis.call('HSET', name, 'kind', args.kind, 'owner', args.owner, 'url', args.url, 'events', args.events, 'attempts', 0)
  redis.call('PEXPIRE', name, args.life + DELIVERY_LIFE)
  local state
  if args.kind == 'job' then
    local job = fields(key('job', args.id))
    state = job.execution_id and job_state(job, fields(key('execution', job.execution_id)))
  else
    state = redis.call('HGET', key('batch', args.id), 'state')
  end
  if state and ended(state) then
    queue_delivery(args.id, state)
  end
end
return 1
