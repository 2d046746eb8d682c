#!lua
-- Record in which stored files the pieces of some work are. The record lives as long as a result.
--
-- Arguments: work (sha256), pieces (names and files in turn).
-- Returns 1.

redis.call('HSET', key('pieces', args.work), unpack(args.pieces))
redis.call('PEXPIRE', key('pieces', args.work), args.ttl)
return 1
