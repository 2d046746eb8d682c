#!lua flags=allow-oom
-- Let uploaded images live as long as a job that is about to read them.
--
-- Arguments: images (a list of sha256), owner_key.
-- Returns {the time when they expire, a value for each image}: its file's name and its record (JSON text), or nil if this owner has not
-- uploaded the image. Example: {1764256400123, {'9f86…-01JDZ… {"id":"img_9f86…"}', nil}}

local values = {}
for i, sha256 in ipairs(args.images) do
  local id = sha256 .. ':' .. args.owner_key
  local is_there = tonumber(redis.call('ZSCORE', STORED, 'upload:' .. id) or 0) > now
  values[i] = is_there and redis.call('GET', key('upload', id))
  if values[i] then
    redis.call('PEXPIRE', key('upload', id), HELD_LIFE)
    keep_stored('upload:' .. id, args.ttl)
  end
end
return {now + args.ttl, values}
