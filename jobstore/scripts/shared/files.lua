-- The account of stored files, and what gives way when there is no room.
--
-- The hash `files` has a field for the sha256 of each content, 'references ulid size', and the field `bytes`, the sum of all sizes.
-- A file's name is '<sha256>-<ulid>'. The ULID makes the name of every copy its own, so deleting an old copy never hits a new one.
-- `args.written` lists the files that the caller has written for this call: {sha256 = {ulid, size}}.
--
-- A reference is held by each execution, upload and piece. The string `held` of an execution names its files, separated by spaces.
-- A file without references is garbage: its name stays in the set `garbage` until it is deleted.
--
-- The sorted set `stored` lists what may give way, by the time at which it ends anyway: 'result:<execution>', 'upload:<sha256>:<owner>'
-- and 'piece:<work>'. Every use moves that time, so the head of the set is what has been unused for longest.
-- Whatever names held files lives for `HELD_LIFE`, so that the sweep finds the names even if it comes days late: the service may have been
-- switched off. Without the names, the references would stay for ever.
-- The sorted set `ended` lists the records of ended executions without files and of canceled jobs: 'execution:<id>' and 'job:<id>'.

local FILES, GARBAGE = key('files', 'all'), key('garbage', 'all')
local STORED, ENDED = key('stored', 'all'), key('ended', 'all')
local HELD_LIFE = args.record_ttl + 30 * 86400000

-- Return the references, the ulid and the size that a field of the account holds. Return nothing if there is no such field.
local function account_in(text)
  if text then
    return string.match(text, '^(%d+) (%w+) (%d+)$')
  end
end

local function account_of(sha256)
  return account_in(redis.call('HGET', FILES, sha256))
end

-- Take a reference to a file away. Return the bytes that this makes free.
local function drop(name)
  local sha256 = string.sub(name, 1, 64)
  local references, ulid, size = account_of(sha256)
  if not references or sha256 .. '-' .. ulid ~= name then
    return 0
  elseif tonumber(references) > 1 then
    redis.call('HSET', FILES, sha256, (references - 1) .. ' ' .. ulid .. ' ' .. size)
    return 0
  end
  redis.call('HDEL', FILES, sha256)
  redis.call('HINCRBY', FILES, 'bytes', -size)
  redis.call('SADD', GARBAGE, name)
  return tonumber(size)
end

local function drop_all(names)
  local freed = 0
  for name in string.gmatch(names or '', '%S+') do
    freed = freed + drop(name)
  end
  return freed
end

-- Return the names of the files in `args.written` that the account does not use. The caller deletes them.
local entered = {} -- the sha256 of each file that this script has entered into the account

local function spare()
  local names = {}
  for sha256, file in pairs(args.written or {}) do
    if not entered[sha256] then
      local _, ulid = account_of(sha256)
      if ulid ~= file[1] then
        names[#names + 1] = sha256 .. '-' .. file[1]
      end
    end
  end
  return names
end

local function count_eviction(kind, reason)
  redis.call('HINCRBY', key('evictions', 'all'), kind .. ':' .. reason, 1)
end

-- List a record among those that hold no files. It ends in so many milliseconds.
local function list_ended(member, milliseconds)
  redis.call('ZADD', ENDED, now + milliseconds, member)
end

-- Take a result away. Its record stays in the state `expired`. Return the bytes that this makes free.
local function expire_result(execution_id, gave_way)
  local execution, held = key('execution', execution_id), key('held', execution_id)
  local files = redis.call('GET', held)
  redis.call('ZREM', STORED, 'result:' .. execution_id)
  local state = redis.call('HGET', execution, 'state')
  if state and state ~= 'succeeded' then
    return 0
  elseif state then
    redis.call('HSET', execution, 'state', 'expired')
    if gave_way then
      redis.call('HSET', execution, 'gave_way', 1)
    end
    list_ended('execution:' .. execution_id, redis.call('PTTL', execution))
  end
  redis.call('DEL', held)
  redis.call('DEL', key('result', execution_id))
  return drop_all(files)
end

-- Take away a member of `stored`. It gives way if its time is not over yet. Return the bytes that this makes free.
local function remove_stored(member, time, reason)
  local kind, id = string.match(member, '^(%l+):(.*)$')
  local gave_way = time > now
  if gave_way then
    count_eviction(kind, reason)
  end
  if kind == 'result' then
    return expire_result(id, gave_way)
  end
  redis.call('ZREM', STORED, member)
  local freed = 0
  if kind == 'upload' then
    freed = drop_all(string.match(redis.call('GET', key('upload', id)) or '', '^%S+'))
    redis.call('DEL', key('upload', id))
    local sha256, owner = string.match(id, '^(%x+):(.*)$')
    redis.call('ZREM', key('uploads', owner), sha256)
  else
    for _, name in ipairs(redis.call('HVALS', key('pieces', id))) do
      freed = freed + drop(name)
    end
    redis.call('DEL', key('pieces', id))
  end
  return freed
end

-- Let the oldest of what is stored give way until so many bytes are free. Return how many are, which may be fewer.
local function give_way(bytes, reason)
  local freed = 0
  while freed < bytes do
    local head = redis.call('ZRANGE', STORED, 0, 0, 'WITHSCORES')
    if not head[1] then
      break
    end
    freed = freed + remove_stored(head[1], tonumber(head[2]), reason)
  end
  return freed
end

-- Hold a file for each sha256 of a list: the one of the account, or else the one that the caller has written. What is stored gives way
-- if there is no room. Return the files' names, or nil if there is no room even then. Nothing is held in that case.
local function hold_all(digests)
  if #digests == 0 then
    return {}
  end
  local texts = redis.call('HMGET', FILES, 'bytes', unpack(digests))
  local found, names, added = {}, {}, 0
  for i, sha256 in ipairs(digests) do
    local file = found[sha256] or {account_in(texts[i + 1])}
    if not file[1] then
      file = {0, unpack(args.written[sha256])}
      file.new, added = true, added + file[3]
    end
    file[1], found[sha256] = file[1] + 1, file
    names[i] = sha256 .. '-' .. file[2]
  end
  local changes = {} -- names of fields and values
  local function change(new)
    for sha256, file in pairs(found) do
      if file.new == new then
        changes[#changes + 1], changes[#changes + 2] = sha256, table.concat(file, ' ')
        entered[sha256] = entered[sha256] or new
      end
    end
  end
  local function write()
    if #changes > 0 then
      redis.call('HSET', FILES, unpack(changes))
    end
    changes = {}
  end
  change(nil)
  if added > 0 then
    local stored = tonumber(texts[1] or 0)
    local excess = stored + added - args.max_bytes
    if excess > 0 then
      write() -- these must not give way
      local freed = give_way(excess, 'bytes')
      if freed < excess then
        for i, sha256 in ipairs(digests) do
          drop(found[sha256].new and '' or names[i])
        end
        return nil
      end
      stored = stored - freed
    end
    change(true)
    changes[#changes + 1], changes[#changes + 2] = 'bytes', string.format('%.0f', stored + added)
  end
  write()
  return names
end

local function keep_stored(member, milliseconds)
  redis.call('ZADD', STORED, now + milliseconds, member)
  local owner = string.match(member, '^upload:%x+:(.*)$')
  if owner then
    redis.call('PEXPIRE', key('uploads', owner), args.record_ttl)
  end
end
