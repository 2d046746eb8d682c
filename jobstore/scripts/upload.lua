#!lua
-- Store an uploaded image, once whoever sent it, and record that this owner has uploaded it.
--
-- Arguments: image (sha256), owner_key, record (JSON text), image_field. ARGV[2] is the image's bytes if image_field is 'content', or the
-- name of its stored file if it is 'file'. If image_field is absent, nothing is sent yet, and the script asks for the image if needed.
-- Returns {outcome, the time when the upload expires, names of stored files that must live on}. The outcome is 'kept' or 'send_image'.
-- Example: {'kept', 1764256400123, {'01JDZ…-52113'}}

local image = key('image', args.image)
local is_there = redis.call('EXISTS', image) == 1
if not is_there and not args.image_field then
  return {'send_image', 0, {}}
end
local upload = key('upload', args.image .. ':' .. args.owner_key)
redis.call('SET', upload, args.record, 'PX', args.ttl)
if not is_there then
  redis.call('HSET', image, args.image_field, ARGV[2])
end
live_at_least(image, args.ttl)
return {'kept', now + args.ttl, {redis.call('HGET', image, 'file') or nil}}
