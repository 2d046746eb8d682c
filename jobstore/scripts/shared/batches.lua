-- Batches. The jobs of a batch live in any shard, and the batch lives in the shard of its owner. So what a job's shard has to tell the
-- batch is noted there, and the batch's feeder (`jobstore/batches/feeding.py`) moves the notes.
--
-- The hash `batch_files` of a batch names the stored files that the batch holds in this shard, by field: 'i<number>' for an item's image,
-- 'image' for the image of the defaults, 'u<sha256>' for an upload that parameters or inputs name, 'defaults', and 's<number>' for a
-- segment of items. A set of uploads holds them in the same way, under its own id. The sorted set `batch_holds` lists the
-- batches that hold files, by the time at which the sweep lets go of them.

-- Note that the job of an item, '<batch>:<number>', has ended. Do nothing if `item` is nil.
local function note_item_end(item, job_id, state)
  local batch_id, number = string.match(item or '', '^(%w+):(%d+)$')
  if batch_id then
    local ends = key('item_ends', batch_id)
    redis.call('ZADD', ends, now, number .. ' ' .. job_id .. ' ' .. state)
    redis.call('PEXPIRE', ends, args.record_ttl)
  end
end

-- Let go of the image that a batch holds for an item, '<batch>:<number>', because the item's execution holds it now.
local function release_item_image(item)
  local batch_id, number = string.match(item, '^(%w+):(%d+)$')
  local holds, field = key('batch_files', batch_id), 'i' .. number
  drop(redis.call('HGET', holds, field) or '')
  redis.call('HDEL', holds, field)
end

-- Let go of at most so many files that a batch holds in this shard. Return true if none is left.
local function release_batch_files(batch_id, most)
  local holds = key('batch_files', batch_id)
  local found = redis.call('HRANDFIELD', holds, most, 'WITHVALUES')
  for i = 1, #found, 2 do
    drop(found[i + 1])
    redis.call('HDEL', holds, found[i])
  end
  if redis.call('EXISTS', holds) == 1 then
    return false
  end
  redis.call('ZREM', key('batch_holds', 'all'), batch_id)
  return true
end

-- Tell whether this feeder still has the lease of a batch. Every script of a feeder checks it before it writes.
local function feeds(batch_id, feeder)
  return redis.call('HGET', key('batch', batch_id), 'feeder') == feeder
end
