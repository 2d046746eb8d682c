#!lua flags=allow-oom
-- Give back all executions that a worker holds who has died. The attempt counts only for those that it worked on when it died. `spared`
-- counts, for each of the others, the deaths at which it was held.
--
-- Arguments: worker, at_work (ids of executions).
-- Returns {how many were given back without a counted attempt, how many with one}. A repetition finds nothing more. Example: {5, 1}

local PAGE = 100

local at_work = {}
for _, execution_id in ipairs(args.at_work) do
  at_work[execution_id] = true
end

local spared, charged = 0, 0

local function give_back(queue, entry)
  local found = redis.call('XRANGE', queue, entry, entry)[1]
  local execution_id = found and found[2][2]
  local execution = found and fields(key('execution', execution_id)) or {}
  if execution.state ~= 'running' or execution.entry ~= entry or execution.worker ~= args.worker then
    return
  end
  if at_work[execution_id] then
    charged = charged + 1
    put_back(execution_id, execution, tonumber(execution.attempts))
  else
    spared = spared + 1
    redis.call('HINCRBY', key('execution', execution_id), 'spared', 1)
    put_back(execution_id, execution, execution.attempts - 1)
  end
end

for _, lane in ipairs(LANES) do
  for _, priority in ipairs(PRIORITIES) do
    local queue = key('queue', lane .. ':' .. priority)
    local after = redis.call('EXISTS', queue) == 1 and '-'
    while after do
      local pending = redis.call('XPENDING', queue, GROUP, after, '+', PAGE, args.worker)
      for _, each in ipairs(pending) do
        give_back(queue, each[1])
      end
      after = #pending == PAGE and '(' .. pending[PAGE][1]
    end
  end
end
return {spared, charged}
