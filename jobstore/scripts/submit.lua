#!lua
-- Submit a job. It joins the execution that is queued or running for the same work, takes the result of one that has succeeded, or
-- queues a new execution. A refused submission writes nothing.
--
-- Arguments: job_id, owner_key, request_id, method, model, model_digest, lane, priority, params (JSON text);
--   execution_key (equal for equal work); fresh (true: take no earlier result); unlimited (true: no limit applies);
--   image (sha256; absent: no image); uploaded (true: the owner must have uploaded the image);
--   image_field ('content': ARGV[2] is the image's bytes; 'file': ARGV[2] names its stored file; absent: nothing is sent yet);
--   oldest (a lower bound of the job ids that are worth listing);
--   max_queued, max_active (limits); queued_elsewhere, active_elsewhere (what counts towards them in other shards).
-- Returns {outcome, the number that was too high, names of stored files that must live on, snapshot}. The outcome is 'created', 'exists',
-- 'no_image', 'caller_limit', 'queue_full' or 'send_image'; only 'created' and 'exists' come with a snapshot.
-- Example: {'created', 0, {}, {'id', '01K5…', 'state', 'queued', …}}

local name = key('job', args.job_id)
local image = args.image and key('image', args.image)

local function image_file()
  return image and redis.call('HGET', image, 'file') or nil
end

if redis.call('EXISTS', name) == 1 then
  return {'exists', 0, {image_file()}, snapshot(args.job_id, args.owner_key)}
end

local latest = redis.call('GET', key('latest', args.execution_key))
local execution = latest and fields(key('execution', latest)) or {}
local joins = not expired(execution) and (execution.state == 'queued' or execution.state == 'running')
local cached = not expired(execution) and execution.state == 'succeeded' and not args.fresh

local image_is_there = image and redis.call('EXISTS', image) == 1
local upload = args.uploaded and key('upload', args.image .. ':' .. args.owner_key)
if upload and not (image_is_there and redis.call('EXISTS', upload) == 1) then
  return {'no_image', 0, {}}
end

local active = key('active', args.owner_key)
if not cached and not args.unlimited then
  local mine = redis.call('ZCOUNT', active, now - args.record_ttl, '+inf') + args.active_elsewhere
  if mine >= args.max_active then
    return {'caller_limit', mine, {}}
  end
  local queued = args.queued_elsewhere
  for _, lane in ipairs(LANES) do
    for _, priority in ipairs(PRIORITIES) do
      queued = queued + redis.call('ZCARD', key('waiting', lane .. ':' .. priority))
    end
  end
  if not joins and queued >= args.max_queued then
    return {'queue_full', queued, {}}
  end
end
local needs_image = image and not cached and not image_is_there
if needs_image and not args.image_field then
  return {'send_image', 0, {}}
end

local execution_id = (joins or cached) and latest or args.job_id
redis.call('HSET', name, 'owner_key', args.owner_key, 'request_id', args.request_id, 'method', args.method, 'model', args.model,
  'lane', args.lane, 'priority', args.priority, 'params', args.params, 'created_at', now, 'execution_id', execution_id,
  'cached', cached and 1 or 0, 'sequence', 0)
keep_job(args.job_id)

if needs_image then
  redis.call('HSET', image, args.image_field, ARGV[2])
end
local files = {image_file()}
if image then
  live_at_least(image, args.ttl)
end
if upload then
  live_at_least(upload, args.ttl)
end

if cached then
  for _, file in pairs(cjson.decode(execution.files)) do
    files[#files + 1] = file
  end
elseif not joins then
  redis.call('HSET', key('execution', execution_id), 'state', 'queued', 'execution_key', args.execution_key, 'method', args.method,
    'model', args.model, 'model_digest', args.model_digest, 'lane', args.lane, 'params', args.params, 'image', args.image or '', 'request_id', args.request_id,
    'queued_at', now, 'attempts', 0, 'claims', 0, 'fresh', args.fresh and 1 or 0)
  redis.call('SET', key('latest', args.execution_key), execution_id, 'PX', args.ttl)
  enqueue(execution_id, args.lane, args.priority, now)
elseif execution.state == 'queued' then
  local rank = {high = 1, normal = 2, low = 3}
  if rank[args.priority] < rank[execution.priority] then
    unqueue(execution_id, execution)
    enqueue(execution_id, execution.lane, args.priority, execution.queued_at)
  end
end
redis.call('SADD', key('joined', execution_id), args.job_id)
live_at_least(key('latest', args.execution_key), args.ttl)
keep_execution(execution_id)

local listed = key('jobs', args.owner_key)
redis.call('ZADD', listed, 0, args.job_id)
redis.call('ZREMRANGEBYLEX', listed, '-', '(' .. args.oldest)
redis.call('PEXPIRE', listed, args.record_ttl)
if not cached then
  redis.call('ZADD', active, now, args.job_id)
  redis.call('ZREMRANGEBYSCORE', active, '-inf', now - args.record_ttl)
  redis.call('PEXPIRE', active, args.record_ttl)
end

execution = fields(key('execution', execution_id))
emit_status(args.job_id, execution.state, execution.state == 'queued' and queue_position(execution_id, execution) or nil)
if cached then
  emit(args.job_id, 'done', cjson.encode({state = execution.state}))
end
return {'created', 0, files, snapshot(args.job_id, args.owner_key)}
