#!lua
-- Keep a picture that was drawn when it was first fetched, unless the results have expired or somebody else has kept it.
--
-- Arguments: execution_id, name, description (its sha256 and size); file (its stored file; absent: ARGV[2] is its bytes).
-- Returns 1 if these bytes are kept, otherwise 0.

local name = key('execution', args.execution_id)
local execution = fields(name)
if execution.state ~= 'succeeded' or expired(execution) then
  return 0
end
local kept, files = cjson.decode(execution.kept or '{}'), cjson.decode(execution.files)
if kept[args.name] then
  return (args.file and files[args.name] == args.file) and 1 or 0
end
if args.file then
  files[args.name] = args.file
  redis.call('HSET', name, 'files', cjson.encode(files))
else
  local artifacts = key('artifacts', args.execution_id)
  redis.call('HSET', artifacts, args.name, ARGV[2])
  redis.call('PEXPIREAT', artifacts, execution.expires_at)
end
kept[args.name] = args.description
redis.call('HSET', name, 'kept', cjson.encode(kept))
return 1
