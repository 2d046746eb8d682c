#!lua
-- Keeps an uploaded image, once whoever sent it, and notes that this owner did.
--
-- a: image (sha256), owner_key, record (JSON text), image_field (absent: ARGV[2] is not sent unless asked for); ARGV[2]: its bytes or file
-- Returns {outcome, expiry, files that must live on}.

local image = key('image', a.image)
local there = redis.call('EXISTS', image) == 1
if not there and not a.image_field then
  return {'send_image', 0, {}}
end
local upload = key('upload', a.image .. ':' .. a.owner_key)
redis.call('SET', upload, a.record, 'PX', a.ttl)
if not there then
  redis.call('HSET', image, a.image_field, ARGV[2])
end
live_at_least(image, a.ttl)
return {'kept', now + a.ttl, {redis.call('HGET', image, 'file') or nil}}
