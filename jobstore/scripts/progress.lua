#!lua
-- Tell every job of an execution how far it is. Only the newest preview is kept, beside the events that announce previews.
--
-- Arguments: execution_id, claim, progress (JSON text), step. ARGV[2] is the preview (PNG), if there is one.
-- Returns 1, or 0 if the worker no longer holds the execution. Example: 1

local execution_id = args.execution_id
if not holds(fields(key('execution', execution_id)), args.claim) then
  return 0
end
redis.call('HSET', key('execution', execution_id), 'progress', args.progress)
if ARGV[2] then
  redis.call('HSET', key('preview', execution_id), 'step', args.step, 'image', ARGV[2])
  redis.call('PEXPIRE', key('preview', execution_id), args.ttl)
end
for _, job_id in ipairs(joined(execution_id)) do
  emit(job_id, 'progress', args.progress)
  if ARGV[2] then
    emit(job_id, 'preview', cjson.encode({step = args.step}))
  end
  announce(job_id, 'progress')
end
return 1
