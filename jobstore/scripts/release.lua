#!lua flags=allow-oom
-- Give an execution back. It stays first in its queue, can be claimed at once, and the attempt does not count.
--
-- Arguments: execution_id, claim.
-- Returns 1, or 0 if the worker no longer holds the execution. Example: 1

local execution = fields(key('execution', args.execution_id))
if not holds(execution, args.claim) then
  return 0
end
put_back(args.execution_id, execution, execution.attempts - 1)
return 1
