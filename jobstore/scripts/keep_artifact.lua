#!lua
-- Keep the content of an artifact that was described when the job ended and has been drawn since.
--
-- Arguments: execution_id, name, artifact (the content's sha256), size, written (the file that was written for this call).
-- Returns {outcome, names of written files that are not used, detail}. The outcome is 'kept', 'lost' if there is no such result any more,
-- or 'storage_full' with the bytes stored. If the artifact was kept before, that one stays. Example: {'kept', {}, 0}

local name, held = key('execution', args.execution_id), key('held', args.execution_id)
local state, kept = unpack(redis.call('HMGET', name, 'state', 'kept'))
if state ~= 'succeeded' then
  return {'lost', spare(), 0}
end
local drawn = kept and cjson.decode(kept) or {}
if not drawn[args.name] then
  local member = 'result:' .. args.execution_id
  local time = redis.call('ZSCORE', STORED, member)
  redis.call('ZREM', STORED, member) -- so that this result does not give way to its own picture
  local files = hold_all({args.artifact})
  redis.call('ZADD', STORED, time, member)
  if not files then
    return {'storage_full', spare(), tonumber(redis.call('HGET', FILES, 'bytes') or 0)}
  end
  drawn[args.name] = {sha256 = args.artifact, size = args.size}
  redis.call('HSET', name, 'kept', cjson.encode(drawn))
  redis.call('APPEND', held, ' ' .. files[1])
end
return {'kept', spare(), 0}
