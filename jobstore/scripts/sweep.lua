#!lua flags=allow-oom
-- Take away what has lived its time: results, uploads and pieces, executions that nobody has run, files that were held
-- for batches, and the names of deleted records.
--
-- Arguments: most (of each kind).
-- Returns 1 if more may be left, otherwise 0.

local due = redis.call('ZRANGE', STORED, '-inf', now, 'BYSCORE', 'LIMIT', 0, args.most)
for _, member in ipairs(due) do
  remove_stored(member, 0)
end
local more = #due == args.most
for _, lane in ipairs(LANES) do
  local names = {key('running', lane)}
  for _, priority in ipairs(PRIORITIES) do
    names[#names + 1] = key('waiting', lane .. ':' .. priority)
  end
  for _, name in ipairs(names) do
    for _, execution_id in ipairs(redis.call('ZRANGE', name, '-inf', now - args.ttl, 'BYSCORE', 'LIMIT', 0, args.most)) do
      local execution = fields(key('execution', execution_id))
      if not execution.state then
        redis.call('ZREM', name, execution_id)
        drop_all(redis.call('GET', key('held', execution_id)))
        redis.call('DEL', key('held', execution_id))
      elseif expired(execution) then
        settle(execution_id, execution, 'expired')
      end
    end
  end
end
redis.call('ZREMRANGEBYSCORE', ENDED, '-inf', now)
for _, batch_id in ipairs(redis.call('ZRANGE', key('batch_holds', 'all'), '-inf', now, 'BYSCORE', 'LIMIT', 0, args.most)) do
  more = not release_batch_files(batch_id, args.most) or more
end
return more and 1 or 0
