#!lua flags=allow-oom
-- Takes deleted blobs out of the account.
--
-- a: blobs = {{name, size}, ...}

for _, blob in ipairs(a.blobs) do
  if redis.call('ZREM', key('index', 'blobs'), blob[1]) == 1 then
    redis.call('DECRBY', key('total', 'blobs'), blob[2])
  end
end
