#!lua
-- Submit a job. It joins the execution that is queued or running for the same work, takes the result of one that has succeeded, or
-- queues a new execution. A refused submission writes nothing.
--
-- Arguments: job_id, owner_key, request_id, method, model, model_digest, lane, priority; ARGV[2] is the parameters (JSON text);
--   caller (the one whose jobs under way are limited; absent: no such limit applies);
--   execution_key (equal for equal work); fresh (true: take no earlier result, join fresh work alone); unlimited (true: no limit applies);
--   job_ttl (how long the result lives after the job's end, if not `ttl`);
--   image (sha256; absent: no image); images (sha256 of every file that the execution reads);
--   inputs (the files of the model's further inputs, JSON; absent: none); further_models (the digests of further models by name, JSON;
--   absent: none); written (the files written for this call);
--   traceparent (the place in a trace where the execution goes on; absent: it is not traced);
--   uploaded (true: the owner must have uploaded the image); item ('<batch>:<number>' if it is an item of a batch, which counts towards no
--   limit of the owner, and whose image the batch has held until now); oldest (a lower bound of the job ids that are worth listing);
--   disk_full (true: new work has no room);
--   max_queued, max_active, max_records (limits); queued_elsewhere, active_elsewhere (what counts towards them in other shards).
-- Returns {outcome, names of written files that are not used, detail, snapshot}. The detail is {the number that was too high, the
-- milliseconds in which one job ends, or -1 if none has ended lately}, or the sha256 of images that must be written first. The outcome is
-- 'created', 'exists', 'no_image', 'caller_limit', 'queue_full', 'storage_full', 'disk_full' or 'send_images'; only 'created' and 'exists'
-- come with a snapshot.
-- Example: {'created', {}, 0, {'01K5…', 'queued', …}}

local name = key('job', args.job_id)
if redis.call('EXISTS', name) == 1 then
  return {'exists', spare(), 0, snapshot(args.job_id, args.owner_key)}
end

local latest = redis.call('GET', key('latest', args.execution_key))
local execution = latest and fields(key('execution', latest)) or {}
local unfinished = not expired(execution) and (execution.state == 'queued' or execution.state == 'running')
local joins = unfinished and (not args.fresh or execution.fresh == '1') -- other executions may use pieces of earlier work
local cached = not expired(execution) and execution.state == 'succeeded' and not args.fresh
local ttl = args.job_ttl or args.ttl

local upload = args.uploaded and 'upload:' .. args.image .. ':' .. args.owner_key
if upload and tonumber(redis.call('ZSCORE', STORED, upload) or 0) <= now then
  return {'no_image', spare(), 0}
end

local active = args.caller and key('active', args.caller)
if not cached and not args.unlimited then
  local mine = active and redis.call('ZCOUNT', active, now - args.record_ttl, '+inf') + args.active_elsewhere
  if mine and mine >= args.max_active then
    return {'caller_limit', spare(), {mine, interval_of(args.caller)}}
  end
  if not joins then
    local queued = args.queued_elsewhere
    for _, lane in ipairs(LANES) do
      for _, priority in ipairs(PRIORITIES) do
        queued = queued + redis.call('ZCARD', key('waiting', lane .. ':' .. priority))
      end
    end
    if queued >= args.max_queued then
      return {'queue_full', spare(), {queued, interval_of('all')}}
    end
  end
end

local files = {}
if args.disk_full and not joins and not cached then
  return {'disk_full', spare(), 0}
end
if not joins and not cached then
  local missing = {}
  for _, sha256 in ipairs(args.images) do
    if not args.written[sha256] and redis.call('HEXISTS', FILES, sha256) == 0 then
      missing[#missing + 1] = sha256
    end
  end
  if #missing > 0 then
    return {'send_images', spare(), missing}
  end
  files = hold_all(args.images)
  if not files then
    return {'storage_full', spare(), tonumber(redis.call('HGET', FILES, 'bytes') or 0)}
  end
end

local new = not joins and not cached
local execution_id = new and args.job_id or latest
local life = cached and ttl or args.ttl

-- Add fields to a list of names and values if they have a value, as the text that Redis would store.
local function add(list, given)
  for field, value in pairs(given) do
    list[#list + 1], list[#list + 2] = field, type(value) == 'number' and string.format('%.0f', value) or value
  end
  return list
end

local job = add({}, {owner_key = args.owner_key, request_id = args.request_id, priority = args.priority, created_at = now,
  execution_id = execution_id, cached = cached and 1 or 0, sequence = cached and 2 or 1, expires_at = now + life, ttl = ttl, item = args.item,
  caller = active and not cached and args.caller or nil})
redis.call('HSET', name, unpack(job))
redis.call('PEXPIRE', name, 2 * life)
if args.item then
  release_item_image(args.item)
end
if upload then
  redis.call('PEXPIRE', key('upload', args.image .. ':' .. args.owner_key), HELD_LIFE)
  keep_stored(upload, args.ttl)
end

local record -- of a new execution
if cached then
  if tonumber(execution.expires_at) < now + ttl then
    keep_execution(execution_id, ttl)
    keep_stored('result:' .. execution_id, ttl)
    redis.call('PEXPIRE', key('latest', args.execution_key), ttl)
  end
elseif joins then
  local rank = {high = 1, normal = 2, low = 3}
  if execution.state == 'queued' and rank[args.priority] < rank[execution.priority] then
    unqueue(execution_id, execution)
    enqueue(execution_id, execution.lane, args.priority, execution.queued_at)
  end
else
  record = add({}, {state = 'queued', execution_key = args.execution_key, method = args.method, model = args.model,
    model_digest = args.model_digest, lane = args.lane, image = args.image or '', request_id = args.request_id, queued_at = now,
    attempts = 0, claims = 0, fresh = args.fresh and 1 or 0, expires_at = now + args.ttl, inputs = args.inputs,
    further_models = args.further_models, traceparent = args.traceparent})
  if #files > 0 then
    redis.call('SET', key('held', execution_id), table.concat(files, ' '), 'PX', HELD_LIFE)
  end
  redis.call('SET', key('params', execution_id), ARGV[2], 'PX', args.record_ttl)
  enqueue(execution_id, args.lane, args.priority, now, record)
  redis.call('PEXPIRE', key('execution', execution_id), args.record_ttl)
end
redis.call('SADD', key('joined', execution_id), args.job_id)
if new then
  redis.call('PEXPIRE', key('joined', execution_id), args.record_ttl)
else
  live_at_least(key('joined', execution_id), args.record_ttl)
end
if not cached then
  redis.call('SET', key('latest', args.execution_key), execution_id, 'PX', args.ttl)
  if joins then
    keep_execution(execution_id, args.ttl)
  end
  if active then
    redis.call('ZADD', active, now, args.job_id)
    redis.call('ZREMRANGEBYSCORE', active, '-inf', now - args.record_ttl)
    redis.call('PEXPIRE', active, args.record_ttl)
  end
end

local listed = key('jobs', args.owner_key)
redis.call('ZADD', listed, 0, args.job_id)
redis.call('ZREMRANGEBYLEX', listed, '-', '(' .. args.oldest)
redis.call('PEXPIRE', listed, args.record_ttl)
forget_jobs_of(args.owner_key, args.max_records)

-- What has just been written need not be read.
local reply
if new then
  add(record, {priority = args.priority})
  reply = {args.job_id, 'queued', queue_position(execution_id, args), job, record, ARGV[2], false, false}
else
  reply = snapshot(args.job_id, args.owner_key)
end
write_event(args.job_id, 1, 'status', status_json(reply[2], reply[3] or nil))
if cached then
  write_done(args.job_id, 2, reply[2])
  note_item_end(args.item, args.job_id, reply[2])
end
return {'created', spare(), 0, reply}
