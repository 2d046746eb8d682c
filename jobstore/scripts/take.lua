#!lua flags=allow-oom
-- Take one request from a caller's quota. The quota fills evenly: `most` requests in `window` (GCRA, ITU-T I.371).
--
-- Arguments: quota ('<kind>:<caller>'), most (requests), window (milliseconds).
-- Returns {1 if the request is allowed or else 0, requests that are left, milliseconds until the next request is allowed, milliseconds
-- until all of the quota is there}. Example: {1, 59, 0, 1000}

-- The key holds the time at which the quota would be whole again. Each request moves it by the time in which one request fills.
local name, step = key('quota', args.quota), args.window / args.most
local whole = math.max(tonumber(redis.call('GET', name) or 0), now)
local wait = whole + step - args.window - now
if wait > 0 then
  return {0, 0, math.ceil(wait), math.ceil(whole - now)}
end
whole = whole + step
redis.call('SET', name, string.format('%.3f', whole), 'PX', math.ceil(whole - now))
return {1, math.floor((args.window - (whole - now)) / step + 1e-6), 0, math.ceil(whole - now)}
