#!lua
-- Submits a job: joins the execution that is queued or running for the same work, is answered from one that succeeded, or queues
-- a new one. Refuses before it writes.
--
-- a: job, owner, owner_key, request_id, execution_key, method, model, lane, priority, params, fresh, unlimited,
--    image (sha256, or absent), uploaded (the image must have been uploaded by the owner), image_field (`content` or `file`: what
--    ARGV[2] is; absent: ARGV[2] is not sent unless asked for), oldest (lower bound of the job ids worth listing),
--    max_queued, max_active, queued_elsewhere, active_elsewhere
-- Returns {outcome, number refused for, files that must live on, view}.

local name = key('job', a.job)
local image = a.image and key('image', a.image)

local function image_file()
  return image and redis.call('HGET', image, 'file') or nil
end

if redis.call('EXISTS', name) == 1 then
  return {'exists', 0, {image_file()}, snapshot(a.job, a.owner_key)}
end

local latest = redis.call('GET', key('latest', a.execution_key))
local e = latest and fields(key('execution', latest)) or {}
local join = not expired(e) and (e.state == 'queued' or e.state == 'running')
local cached = not expired(e) and e.state == 'succeeded' and not a.fresh

local image_there = image and redis.call('EXISTS', image) == 1
local upload = a.uploaded and key('upload', a.image .. ':' .. a.owner_key)
if upload and not (image_there and redis.call('EXISTS', upload) == 1) then
  return {'no_image', 0, {}}
end

local active = key('active', a.owner_key)
if not cached and not a.unlimited then
  local mine = redis.call('ZCOUNT', active, now - a.record_ttl, '+inf') + a.active_elsewhere
  if mine >= a.max_active then
    return {'caller_limit', mine, {}}
  end
  local queued = a.queued_elsewhere
  for _, lane in ipairs({'fast', 'slow'}) do
    for _, priority in ipairs(PRIORITIES) do
      queued = queued + redis.call('ZCARD', key('waiting', lane .. ':' .. priority))
    end
  end
  if not join and queued >= a.max_queued then
    return {'queue_full', queued, {}}
  end
end
local image_wanted = image and not cached and not image_there
if image_wanted and not a.image_field then
  return {'send_image', 0, {}}
end

local execution = (join or cached) and latest or a.job
redis.call('HSET', name, 'owner', a.owner_key, 'request_id', a.request_id, 'method', a.method, 'model', a.model, 'lane', a.lane,
  'priority', a.priority, 'params', a.params, 'created', now, 'execution', execution, 'cached', cached and 1 or 0, 'sequence', 0)
keep_job(a.job)

if image_wanted then
  redis.call('HSET', image, a.image_field, ARGV[2])
end
local files = {image_file()}
if image then
  live_at_least(image, a.ttl)
end
if upload then
  live_at_least(upload, a.ttl)
end

if cached then
  for _, file in pairs(cjson.decode(e.files)) do
    files[#files + 1] = file
  end
elseif not join then
  redis.call('HSET', key('execution', execution), 'state', 'queued', 'execution_key', a.execution_key, 'method', a.method, 'model', a.model,
    'lane', a.lane, 'params', a.params, 'image', a.image or '', 'request_id', a.request_id, 'queued', now, 'attempt', 0, 'claims', 0,
    'fresh', a.fresh and 1 or 0)
  redis.call('SET', key('latest', a.execution_key), execution, 'PX', a.ttl)
  enqueue(execution, a.lane, a.priority, now)
elseif e.state == 'queued' then
  local rank = {high = 1, normal = 2, low = 3}
  if rank[a.priority] < rank[e.priority] then
    unqueue(execution, e)
    enqueue(execution, e.lane, a.priority, e.queued)
  end
end
redis.call('SADD', key('joined', execution), a.job)
live_at_least(key('latest', a.execution_key), a.ttl)
keep_execution(execution)

local listed = key('jobs', a.owner_key)
redis.call('ZADD', listed, 0, a.job)
redis.call('ZREMRANGEBYLEX', listed, '-', '(' .. a.oldest)
redis.call('PEXPIRE', listed, a.record_ttl)
if not cached then
  redis.call('ZADD', active, now, a.job)
  redis.call('ZREMRANGEBYSCORE', active, '-inf', now - a.record_ttl)
  redis.call('PEXPIRE', active, a.record_ttl)
end

e = fields(key('execution', execution))
emit_status(a.job, e.state, e.state == 'queued' and position(execution, e) or nil)
if cached then
  emit(a.job, 'done', cjson.encode({state = e.state}))
end
return {'created', 0, files, snapshot(a.job, a.owner_key)}
