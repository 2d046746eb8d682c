#!lua
-- End an execution with its results. A repetition under the same claim gets the same answer.
--
-- Arguments: execution_id, claim; digests (the sha256 of what the result holds in files: the artifacts, and a long outcome); progress
-- (JSON text); keeps_images (true: the images stay, because a picture may still be drawn from them); written (the files that were written
-- for this call). ARGV[2] is the outcome (JSON text), or the name of its file (`outcome_in_file` in `jobstore/outcome.py`).
-- Returns {outcome, names of written files that are not used, detail}. The outcome is 'done', 'lost' if the worker no longer holds the
-- execution, or 'storage_full' with the bytes stored. Example: {'done', {}, 0}

local execution = fields(key('execution', args.execution_id))
if execution.state == 'succeeded' and ended_by(execution, args.claim) then
  return {'done', spare(), 0}
elseif not holds(execution, args.claim) then
  return {'lost', spare(), 0}
end
local files = hold_all(args.digests)
if files and args.keeps_images then
  files[#files + 1] = redis.call('GET', key('held', args.execution_id)) or ''
elseif not files then
  return {'storage_full', spare(), tonumber(redis.call('HGET', FILES, 'bytes') or 0)}
end
if (execution.progress or execution.lane == 'slow') and execution.progress ~= args.progress then
  for _, job_id in ipairs(joined(args.execution_id)) do
    emit(job_id, 'progress', args.progress)
  end
end
settle(args.execution_id, execution, 'succeeded', ARGV[2], table.concat(files, ' '), args.progress, args.keeps_images)
return {'done', spare(), 0}
