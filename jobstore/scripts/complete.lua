#!lua
-- End an execution with its results. A repetition under the same claim gets the same answer.
--
-- Arguments: execution_id, claim; artifacts, facts, warnings, timings, provenance, progress (JSON texts); files (JSON text: the stored
-- file of each large artifact); small (names of the artifacts whose bytes follow in ARGV[2…]); drawings (JSON text: the drawing of each picture that is
-- drawn when it is fetched); keep_image (true: such a picture is drawn on the photo, which must live as long as the result).
-- Returns {1, files in use}, or {0, '{}'} if the worker no longer holds the execution. Example: {1, '{"overlay":"01JDZ…-52113"}'}

local name = key('execution', args.execution_id)
local execution = fields(name)
if execution.state == 'succeeded' and ended_by(execution, args.claim) then
  return {1, execution.files}
elseif not holds(execution, args.claim) then
  return {0, '{}'}
end
for i, artifact in ipairs(args.small) do
  redis.call('HSET', key('artifacts', args.execution_id), artifact, ARGV[i + 1])
end
redis.call('HSET', name, 'artifacts', args.artifacts, 'facts', args.facts, 'warnings', args.warnings, 'timings', args.timings,
  'provenance', args.provenance, 'progress', args.progress, 'files', args.files, 'drawings', args.drawings)
if args.keep_image then
  live_at_least(key('image', execution.image), args.ttl)
end
if (execution.progress or execution.lane == 'slow') and execution.progress ~= args.progress then
  for _, job_id in ipairs(joined(args.execution_id)) do
    emit(job_id, 'progress', args.progress)
  end
end
redis.call('PEXPIRE', key('latest', execution.execution_key), args.ttl)
settle(args.execution_id, execution, 'succeeded')
return {1, args.files}
