#!lua flags=allow-oom
-- Takes deleted files out of the account.
--
-- a: files = {{name, size}, ...}

for _, file in ipairs(a.files) do
  if redis.call('ZREM', key('index', 'files'), file[1]) == 1 then
    redis.call('DECRBY', key('total', 'files'), file[2])
  end
end
