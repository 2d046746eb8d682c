#!lua
-- Lets uploaded images that a job will read live as long as the job.
--
-- a: images (list of sha256), owner_key
-- Returns {expiry, for each image its record (JSON text; nothing where it is not there or not this owner's), files that must live on}.

local records, files = {}, {}
for i, sha256 in ipairs(a.images) do
  local image, upload = key('image', sha256), key('upload', sha256 .. ':' .. a.owner_key)
  records[i] = redis.call('EXISTS', image) == 1 and redis.call('GET', upload)
  if records[i] then
    live_at_least(image, a.ttl)
    live_at_least(upload, a.ttl)
    files[#files + 1] = redis.call('HGET', image, 'file') or nil
  end
end
return {now + a.ttl, records, files}
