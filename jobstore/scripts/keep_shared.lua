#!lua flags=allow-oom
-- Let the keys that a shard has once live on.
--
-- Each job uses these keys several times. Renewing their lives at each use would be a tenth of all commands. So this script renews them,
-- about once per second while files are written, and at each sweep. A key that has come since then has no time to live until the next time.
-- They live for `HELD_LIFE`, like what names held files, so that a service which was switched off finds its account again.
--
-- Arguments: none.
-- Returns 1.

local names = {FILES, GARBAGE, STORED, ENDED, key('evictions', 'all'), key('drained', 'all'), key('announcements', 'all'),
  key('announcements', 'changes')}
for _, lane in ipairs(LANES) do
  names[#names + 1], names[#names + 2], names[#names + 3] = key('running', lane), key('wakeup', lane), key('returned', lane)
  for _, priority in ipairs(PRIORITIES) do
    local place = lane .. ':' .. priority
    names[#names + 1], names[#names + 2] = key('queue', place), key('waiting', place)
  end
end
for _, name in ipairs(names) do
  redis.call('PEXPIRE', name, HELD_LIFE)
end
return 1
