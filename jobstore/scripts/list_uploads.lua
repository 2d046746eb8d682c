#!lua flags=no-writes
-- Read a page of the images that an owner has uploaded, the newest first.
--
-- Arguments: owner_key, count, before_time and before_sha256 (of the last image of the page before; without them, the first page).
-- Returns for each image the time of its upload, the time when it expires, and its value: its file's name and its record (JSON text).
-- Example: {{'1764256400123', '1764342800123', '9f86…-01JDZ… {"id":"img_9f86…"}'}}

local uploads = key('uploads', args.owner_key)
local found, offset = {}, 0
while #found < args.count do
  local page = redis.call('ZREVRANGEBYSCORE', uploads, args.before_time or '+inf', '-inf', 'WITHSCORES', 'LIMIT', offset, args.count)
  for i = 1, #page, 2 do
    local sha256, time = page[i], page[i + 1]
    local was_shown = time == args.before_time and sha256 >= args.before_sha256
    local id = sha256 .. ':' .. args.owner_key
    local expiry = redis.call('ZSCORE', STORED, 'upload:' .. id)
    local value = redis.call('GET', key('upload', id))
    if not was_shown and #found < args.count and expiry and tonumber(expiry) > now and value then
      found[#found + 1] = {time, expiry, value}
    end
  end
  if #page < 2 * args.count then
    break
  end
  offset = offset + args.count
end
return found
