#!lua
-- Let uploaded images live as long as a job that is about to read them.
--
-- Arguments: images (a list of sha256), owner_key.
-- Returns {the time when they expire, a record (JSON text) for each image, names of stored files that must live on}. The record is nil
-- if this owner has not uploaded the image. Example: {1764256400123, {'{"id":"img_9f86…"}', nil}, {'01JDZ…-52113'}}

local records, files = {}, {}
for i, sha256 in ipairs(args.images) do
  local image, upload = key('image', sha256), key('upload', sha256 .. ':' .. args.owner_key)
  records[i] = redis.call('EXISTS', image) == 1 and redis.call('GET', upload)
  if records[i] then
    live_at_least(image, args.ttl)
    live_at_least(upload, args.ttl)
    files[#files + 1] = redis.call('HGET', image, 'file') or nil
  end
end
return {now + args.ttl, records, files}
