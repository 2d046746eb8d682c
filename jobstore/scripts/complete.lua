#!lua
-- Writes an execution's results, its end and its acknowledgement. Said again under the same claim, it answers the same.
--
-- a: execution, claim, artifacts, facts, warnings, timings, provenance (JSON texts), files (JSON text, by artifact), inline (names); ARGV[2...]: their bytes
-- Returns {1, files that are kept}, or {0, '{}'} where the execution is no longer the worker's.

local name = key('execution', a.execution)
local e = fields(name)
if e.state == 'succeeded' and tonumber(e.claims) == a.claim then
  return {1, e.files}
elseif not holds(e, a.claim) then
  return {0, '{}'}
end
for i, artifact in ipairs(a.inline) do
  redis.call('HSET', key('artifacts', a.execution), artifact, ARGV[i + 1])
end
redis.call('HSET', name, 'artifacts', a.artifacts, 'facts', a.facts, 'warnings', a.warnings, 'timings', a.timings,
  'provenance', a.provenance, 'files', a.files)
redis.call('PEXPIRE', key('latest', e.execution_key), a.ttl)
settle(a.execution, e, 'succeeded')
return {1, a.files}
