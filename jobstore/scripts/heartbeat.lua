#!lua flags=allow-oom
-- Record that a worker is alive. A full Redis takes a heartbeat too, because a worker that lives must not look dead.
--
-- Arguments: worker, status (JSON text), lease (milliseconds).
-- Returns 1.

redis.call('SET', key('worker', args.worker), args.status, 'PX', args.lease)
redis.call('SADD', key('workers', 'all'), args.worker)
redis.call('PEXPIRE', key('workers', 'all'), args.lease)
return 1
