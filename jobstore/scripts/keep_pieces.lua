#!lua
-- Notes where pieces of some work are: they live as long as a result.
--
-- a: work, pieces (names and their files, in turn)
redis.call('HSET', key('pieces', a.work), unpack(a.pieces))
redis.call('PEXPIRE', key('pieces', a.work), a.ttl)
return 1
