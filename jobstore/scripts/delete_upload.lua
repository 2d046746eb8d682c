#!lua flags=allow-oom
-- Forget that an owner has uploaded an image. Its file becomes garbage unless a job or another owner's upload holds it.
--
-- Arguments: image (sha256), owner_key.
-- Returns 1, or 0 if this owner has not uploaded the image or the upload has expired.

local member = 'upload:' .. args.image .. ':' .. args.owner_key
local expiry = tonumber(redis.call('ZSCORE', STORED, member) or 0)
if expiry == 0 then
  return 0
end
remove_stored(member, 0)
return expiry > now and 1 or 0
