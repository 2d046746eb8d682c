#!lua flags=no-writes
-- Read jobs.
--
-- Arguments: job_ids, owner_key.
-- Returns a snapshot of each job that exists and belongs to the owner. Example: {{'id', '01K5…', 'state', 'queued', …}}

local found = {}
for _, job_id in ipairs(args.job_ids) do
  found[#found + 1] = snapshot(job_id, args.owner_key)
end
return found
