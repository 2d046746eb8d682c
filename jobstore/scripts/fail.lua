#!lua flags=allow-oom
-- End an execution with an error. A repetition under the same claim gets the same answer.
--
-- Arguments: execution_id, claim. ARGV[2] is the outcome (JSON text), which holds the error.
-- Returns 1, or 0 if the worker no longer holds the execution. Example: 1

local execution = fields(key('execution', args.execution_id))
if execution.state == 'failed' and ended_by(execution, args.claim) then
  return 1
elseif not holds(execution, args.claim) then
  return 0
end
settle(args.execution_id, execution, 'failed', ARGV[2])
return 1
