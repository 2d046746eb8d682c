"""Failovers and moves: a cluster whose master dies or whose slots move, Sentinels that choose another server, and TLS."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobstore.keys import key, prefix
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import BrokerUnavailable
from schemas.jobs import JobState
from tests.jobstore.samples import result, submission
from tests.redis_servers import SLOTS, ClusterServers, RedisServer, SentinelServers
from tests.tls_proxy import make_certificate, tls_proxy
from tests.wait import until

MOVED_SLOT = 9842  # that of shard 1


def settings_in(folder: Path) -> StoreSettings:
    return StoreSettings(data_dir=folder, min_free_disk=0, shards=3)


async def submitted(store: JobStore, numbers: range) -> list[str]:
    return [(await store.jobs.submit(submission(number, image=bytes([number]) * 1500))).job.id for number in numbers]


def blocked_reads(*servers: RedisServer) -> int:
    return sum(server.info("clients")["blocked_clients"] for server in servers)


async def answers(store: JobStore) -> bool:
    try:
        await store.ping()
    except BrokerUnavailable:
        return False
    return True


async def complete_all(store: JobStore, count: int) -> None:
    """Claim and complete executions until `count` are done, while Redis may be away."""
    done: set[str] = set()

    async def all_done() -> bool:
        with contextlib.suppress(BrokerUnavailable):
            for execution in await store.queue.claim("w1", "fast", 10, 0.2):
                assert await store.queue.complete(execution, result())
                done.add(execution.key)
        return len(done) == count

    await until(all_done)


@pytest.mark.slow
@pytest.mark.faults
async def test_a_replica_takes_over_and_nothing_is_lost(tmp_path: Path):
    with ClusterServers(tmp_path / "cluster", replicas=1) as cluster:
        store = JobStore.connect(cluster.url, settings_in(tmp_path))
        before = await submitted(store, range(12))
        waiting = [asyncio.create_task(store.jobs.wait(job, "ann", 60)) for job in before]
        await until(lambda: blocked_reads(*cluster.masters) == 3)
        for master in cluster.masters:
            assert master.ask("WAIT", 1, 5000) == 1
        cluster.masters[1].kill()
        await until(lambda: answers(store))
        after = await submitted(store, range(12, 18))
        await complete_all(store, 18)
        ended = await asyncio.gather(*waiting)
        assert [job.state for job in ended if job is not None] == [JobState.SUCCEEDED] * 12
        assert {job.id for job in (await store.jobs.page("ann"))[0]} == {*before, *after}
        await store.close()


@pytest.mark.slow
@pytest.mark.faults
async def test_a_shard_that_moves_to_a_new_node_is_never_half_there(tmp_path: Path):
    with ClusterServers(tmp_path / "cluster") as cluster:
        store = JobStore.connect(cluster.url, settings_in(tmp_path))
        jobs = await submitted(store, range(9))
        source, target = cluster.masters[1], cluster.add_master(tmp_path / "new")
        source_id, target_id = (server.ask("CLUSTER", "MYID").decode() for server in (source, target))
        target.ask("CLUSTER", "SETSLOT", MOVED_SLOT, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", MOVED_SLOT, "MIGRATING", target_id)
        names = source.ask("CLUSTER", "GETKEYSINSLOT", MOVED_SLOT, 10_000)
        assert names
        half = names[: len(names) // 2]
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *half)

        with pytest.raises(BrokerUnavailable):
            await store.queue.depth()
        sizes = target.ask("DBSIZE")
        with pytest.raises(BrokerUnavailable):
            await submitted(store, range(30, 40))
        assert target.ask("DBSIZE") == sizes == len(half)
        connection = store._connection  # pyright: ignore[reportPrivateUsage] - single commands, which the parts of the store send, too
        assert await asyncio.gather(*(connection.command("EXISTS", name) for name in names)) == [1] * len(names)
        assert await connection.read_stream(key(1, "queue", "fast:normal"), "0-0", 1)

        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names[len(half) :])
        for server in (target, source):
            server.ask("CLUSTER", "SETSLOT", MOVED_SLOT, "NODE", target_id)
        await until(lambda: answers(store))
        assert target.ask("DBSIZE") == len(names)
        await until(lambda: _all_ended(store, jobs))
        await store.close()


async def _all_ended(store: JobStore, jobs: list[str]) -> bool:
    with contextlib.suppress(BrokerUnavailable):
        for execution in await store.queue.claim("w1", "fast", 20, 0.2):
            await store.queue.complete(execution, result())
    found = [await store.jobs.read(job, "ann") for job in jobs]
    return all(job is not None and job.state is JobState.SUCCEEDED for job in found)


def test_each_node_of_the_tests_has_one_of_three_shards():
    from redis.crc import key_slot

    slots = [key_slot(prefix(shard).encode()) for shard in range(3)]
    assert slots[1] == MOVED_SLOT
    assert [sum(first <= slot <= last for slot in slots) for first, last in SLOTS] == [1, 1, 1]


@pytest.mark.slow
@pytest.mark.faults
async def test_sentinels_choose_another_server_and_nothing_is_lost(tmp_path: Path):
    with SentinelServers(tmp_path) as servers:
        master, replica, sentinels = servers.master, servers.replica, servers.sentinels
        store = JobStore.connect(servers.url, settings_in(tmp_path))
        before = await submitted(store, range(6))
        waiting = [asyncio.create_task(store.jobs.wait(job, "ann", 60)) for job in before]
        await until(lambda: blocked_reads(master) == 3)
        assert master.ask("WAIT", 1, 5000) == 1
        master.kill()
        sentinels[0].kill()
        await until(lambda: answers(store))
        assert replica.info("replication")["role"] == "master"
        await submitted(store, range(6, 9))
        await complete_all(store, 9)
        assert [job.state for job in await asyncio.gather(*waiting) if job is not None] == [JobState.SUCCEEDED] * 6
        await store.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def tls_port(certificate: Path, redis_url: str) -> AsyncIterator[int]:
    async with tls_proxy(certificate, int(redis_url.rpartition(":")[2].partition("/")[0])) as port:
        yield port


@pytest.mark.parametrize("place", ["1 shard"])
class TestTls:
    async def test_jobs_run_over_tls(self, tls_port: int, certificate: Path, redis_url: str, tmp_path: Path):
        secret = redis_url.partition("@")[0].removeprefix("redis://")
        url = f"rediss://{secret}@127.0.0.1:{tls_port}/0?ssl_ca_certs={certificate / 'cert.pem'}"
        store = JobStore.connect(url, settings_in(tmp_path))
        (job,) = await submitted(store, range(1))
        waiting = asyncio.create_task(store.jobs.wait(job, "ann", 30))
        await complete_all(store, 1)
        ended = await waiting
        assert ended is not None
        assert ended.state is JobState.SUCCEEDED
        await store.close()

    async def test_a_certificate_that_nobody_vouches_for_is_refused(self, tls_port: int, redis_url: str, tmp_path: Path):
        secret = redis_url.partition("@")[0].removeprefix("redis://")
        store = JobStore.connect(f"rediss://{secret}@127.0.0.1:{tls_port}/0", settings_in(tmp_path))
        with pytest.raises(BrokerUnavailable) as raised:
            await store.ping()
        assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value.__cause__)
        await store.close()
