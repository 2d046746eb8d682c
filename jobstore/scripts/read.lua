#!lua flags=no-writes
-- Reads jobs.
--
-- a: jobs, owner_key
-- Returns a view of each that is there.

local found = {}
for _, job in ipairs(a.jobs) do
  found[#found + 1] = snapshot(job, a.owner_key)
end
return found
