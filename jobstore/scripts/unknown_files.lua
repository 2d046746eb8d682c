#!lua flags=no-writes
-- Tell which files the account of this shard does not know.
--
-- Arguments: names.
-- Returns those names. Example: {'9f86…-01JDZ…'}

local unknown = {}
for _, name in ipairs(args.names) do
  local sha256 = string.sub(name, 1, 64)
  local _, ulid = account_of(sha256)
  if sha256 .. '-' .. (ulid or '') ~= name then
    unknown[#unknown + 1] = name
  end
end
return unknown
