-- Definitions that scripts share. The store inserts those that a script uses after its first line (`jobstore/script_texts.py`). So every
-- statement of these files that is not inside another one begins with `local`.
--
-- KEYS[1] is the prefix of a shard, `convscope:{n}:`. Every key is made from it, so no script leaves its slot of a Redis Cluster.
-- ARGV[1] is a JSON object, `args`. It always has `ttl` and `record_ttl` (milliseconds), `max_events` and `max_bytes` (of this shard's
-- stored files); each script names its others. The rest of ARGV is texts or bytes, for example a preview.
-- All times are Redis's own, in milliseconds since 1970.
-- A variable `job_id` or `execution_id` is an id; `job` or `execution` is the hash of that id as a table.
--
-- The first line of a script declares what it may do. A script with `allow-oom` also runs when the memory of Redis is full, because it
-- ends work or lets work end. A script without flags is refused then, before it has changed anything.

local GROUP = 'workers'
local PRIORITIES = {'high', 'normal', 'low'}
local LANES = {'fast', 'slow'}

local args = cjson.decode(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function key(kind, id)
  return KEYS[1] .. kind .. ':' .. id
end

local function as_table(flat)
  local found = {}
  for i = 1, #flat, 2 do
    found[flat[i]] = flat[i + 1]
  end
  return found
end

local function fields(hash)
  return as_table(redis.call('HGETALL', hash))
end

local function live_at_least(name, milliseconds)
  if redis.call('PTTL', name) < milliseconds then
    redis.call('PEXPIRE', name, milliseconds)
  end
end
