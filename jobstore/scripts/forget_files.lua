#!lua flags=allow-oom
-- Take deleted files out of the account.
--
-- Arguments: files ({{name, bytes}, …}).
-- Returns nothing.

for _, file in ipairs(args.files) do
  if redis.call('ZREM', key('index', 'files'), file[1]) == 1 then
    redis.call('DECRBY', key('total', 'files'), file[2])
  end
end
