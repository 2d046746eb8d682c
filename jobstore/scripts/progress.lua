#!lua
-- Tells every job of an execution how far it is. The newest preview is kept once, beside the events that announce it.
--
-- a: execution, claim, progress (JSON text), step; ARGV[2]: the preview, PNG, if any
-- Returns 1, or 0 where the execution is no longer the worker's.

local e = fields(key('execution', a.execution))
if not holds(e, a.claim) then
  return 0
end
redis.call('HSET', key('execution', a.execution), 'progress', a.progress)
if ARGV[2] then
  redis.call('HSET', key('preview', a.execution), 'step', a.step, 'image', ARGV[2])
  redis.call('PEXPIRE', key('preview', a.execution), a.ttl)
end
for _, job in ipairs(joined(a.execution)) do
  emit(job, 'progress', a.progress)
  if ARGV[2] then
    emit(job, 'preview', cjson.encode({step = a.step}))
  end
end
return 1
