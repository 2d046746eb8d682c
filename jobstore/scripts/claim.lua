#!lua
-- Claims up to `count` executions of a lane for a worker and starts them: first those whose lease has run out (or that were given
-- back), then new ones, high priority first.
--
-- a: worker, lane, count, lease, max_attempts
-- Returns {last id of the bell, execution, ...}, each execution {id, entry, attempt, claim, method, model, priority, params, image,
-- request id, queued, fresh}.

local claimed = {}

local function crashed(tries)
  return cjson.encode({
    code = 'worker_crashed', retryable = false,
    detail = 'The worker that ran this job died or hung, ' .. tries .. ' times out of ' .. tries .. '; it is not tried again.',
  })
end

local function start(queue, priority, entry, execution)
  local name = key('execution', execution)
  local e = fields(name)
  if e.entry ~= entry or ended(e.state) then
    drop_entry(queue, entry)
    redis.call('ZREM', key('waiting', a.lane .. ':' .. priority), execution)
    redis.call('ZREM', key('running', a.lane), execution)
    return
  end
  if expired(e) then
    settle(execution, e, 'expired')
  elseif tonumber(e.attempt) >= a.max_attempts then
    settle(execution, e, 'failed', 'error', crashed(e.attempt))
  else
    local attempt, claim = e.attempt + 1, e.claims + 1
    redis.call('HSET', name, 'state', 'running', 'attempt', attempt, 'claims', claim, 'worker', a.worker, 'started', e.started or now)
    redis.call('HDEL', name, 'progress')
    redis.call('DEL', key('preview', execution))
    redis.call('ZREM', key('waiting', a.lane .. ':' .. priority), execution)
    redis.call('ZADD', key('running', a.lane), now, execution)
    redis.call('PEXPIRE', key('running', a.lane), a.record_ttl)
    for _, job in ipairs(joined(execution)) do
      emit_status(job, 'running')
    end
    claimed[#claimed + 1] = {execution, entry, attempt, claim, e.method, e.model, priority, e.params, e.image, e.request_id, e.queued,
      e.fresh or '0'}
  end
end

local function start_all(queue, priority, entries)
  for _, entry in ipairs(entries) do
    start(queue, priority, entry[1], entry[2][2])
  end
end

local queues = {}
for _, priority in ipairs(PRIORITIES) do
  local queue = key('queue', a.lane .. ':' .. priority)
  if redis.call('EXISTS', queue) == 1 then
    queues[#queues + 1] = {queue, priority}
  end
end

for _, pair in ipairs(queues) do
  local queue, priority = pair[1], pair[2]
  local cursor = '0-0'
  while #claimed < a.count do
    local reply = redis.call('XAUTOCLAIM', queue, GROUP, a.worker, a.lease, cursor, 'COUNT', a.count - #claimed)
    cursor = reply[1]
    start_all(queue, priority, reply[2])
    if cursor == '0-0' then
      break
    end
  end
end

for _, pair in ipairs(queues) do
  local queue, priority = pair[1], pair[2]
  while #claimed < a.count do
    local reply = redis.call('XREADGROUP', 'GROUP', GROUP, a.worker, 'COUNT', a.count - #claimed, 'STREAMS', queue, '>')
    if not reply then
      break
    end
    start_all(queue, priority, reply[1][2])
  end
end

local last = redis.call('XREVRANGE', key('wakeup', a.lane), '+', '-', 'COUNT', 1)[1]
table.insert(claimed, 1, last and last[1] or '0-0')
return claimed
