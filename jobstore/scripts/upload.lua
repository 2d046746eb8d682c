#!lua
-- Store an uploaded image, once whoever sent it, and record that this owner has uploaded it.
--
-- Arguments: image (sha256), owner_key, record (JSON text), written (the file that was written for this call, if it was needed).
-- Returns {outcome, names of written files that are not used, detail}. If the outcome is 'kept', the detail is the time when the upload
-- expires. If it is 'storage_full', the detail is the bytes stored. If it is 'send_images', the image must be written first.
-- Example: {'kept', {}, 1764256400123}

local id = args.image .. ':' .. args.owner_key
local member = 'upload:' .. id
if not redis.call('ZSCORE', STORED, member) then
  if not args.written[args.image] and redis.call('HEXISTS', FILES, args.image) == 0 then
    return {'send_images', {}, {args.image}}
  end
  local files = hold_all({args.image})
  if not files then
    return {'storage_full', spare(), tonumber(redis.call('HGET', FILES, 'bytes') or 0)}
  end
  redis.call('SET', key('upload', id), files[1] .. ' ' .. args.record)
end
redis.call('PEXPIRE', key('upload', id), HELD_LIFE)
redis.call('ZADD', key('uploads', args.owner_key), now, args.image)
keep_stored(member, args.ttl)
return {'kept', spare(), now + args.ttl}
