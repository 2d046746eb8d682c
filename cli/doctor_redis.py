"""Examine, for `convscope doctor`, every server of the Redis that is used: one server, one with its Sentinels, or a Cluster's nodes."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# redis-py leaves replies without types: they are whatever Redis answers.
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from redis.exceptions import RedisError

from cli.finding import Finding
from jobstore.redis_address import RedisAddress
from jobstore.redis_clients import close_client, open_client
from processes.redis_program import OLDEST_REDIS

ANSWER_SECONDS = 5.0
_SECTIONS = ("server", "memory", "persistence", "replication")


async def redis_findings(address: RedisAddress, whose: str) -> list[Finding]:
    """Return a line for each server that belongs to the address. `whose` says where the address comes from.

    A server that holds jobs and does not answer is `missing`. A replica or a Sentinel that does not answer is a `note`.
    """
    if address.kind == "cluster":
        return [each async for each in _cluster(address, whose)]
    if address.kind == "sentinel":
        return [each async for each in _watched(address, whose)]
    return [await _server(address, f"{address} ({whose})")]


async def _server(address: RedisAddress, where: str, *, holds_jobs: bool = True) -> Finding:
    try:
        async with _ask(address) as redis:
            facts: dict[str, Any] = {}
            for section in _SECTIONS:
                facts |= await redis.info(section)
    except (RedisError, OSError, TimeoutError) as error:
        return Finding("missing" if holds_jobs else "note", "Redis", f"{where} does not answer: {_reason(error)}")
    return _judged(facts, where, holds_jobs=holds_jobs)


def _judged(facts: Mapping[str, Any], where: str, *, holds_jobs: bool) -> Finding:
    version, text = str(facts["redis_version"]), _program(facts)
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        oldest = ".".join(map(str, OLDEST_REDIS))
        return Finding("missing", "Redis", f"{text}, {where}: convscope needs {oldest} or newer")
    is_replica = facts.get("role") == "slave"
    if is_replica and holds_jobs:
        return Finding("missing", "Redis", f"{text}, {where}: it is a replica, which takes no jobs. Name its master")
    policy = str(facts.get("maxmemory_policy"))
    doubts = [
        *([f"it may delete jobs when full ({policy}): set maxmemory-policy noeviction"] if policy != "noeviction" else []),
        *(["a restart would lose all jobs: set appendonly yes"] if not facts.get("aof_enabled") else []),
        *(["its disk is full or refuses writes"] if facts.get("aof_last_write_status", "ok") != "ok" else []),
        *(["it has lost its master"] if is_replica and facts.get("master_link_status") != "up" else []),
    ]
    limit = int(facts.get("maxmemory", 0))
    memory = f"{int(facts['used_memory']) / 2**20:.1f} MiB of {f'{limit / 2**20:.0f} MiB' if limit else 'unlimited memory'} used"
    return Finding("note" if doubts else "ok", "Redis", "; ".join([f"{text}, {where}, {memory}, {policy}", *doubts]))


async def _watched(address: RedisAddress, whose: str) -> AsyncIterator[Finding]:
    """Yield a line for each Sentinel, then for the server that they name and its replicas."""
    masters: dict[tuple[str, int], None] = {}
    replicas: dict[tuple[str, int], None] = {}
    silent: list[str] = []
    for host in address.hosts:
        sentinel, where = _at(address, host, sentinel=True), f"{host[0]}:{host[1]}"
        try:
            async with _ask(sentinel) as redis:
                master = await redis.sentinel_get_master_addr_by_name(address.service or "")
                if not master:
                    yield Finding("missing", "Sentinel", f"{where} watches no server named '{address.service}'")
                    continue
                masters[_host(master[0]), int(master[1])] = None
                for replica in await redis.sentinel_slaves(address.service or ""):
                    replicas[_host(replica["ip"]), int(replica["port"])] = None
        except (RedisError, OSError, TimeoutError) as error:
            silent.append(f"{where} does not answer: {_reason(error)}")
        else:
            yield Finding("ok", "Sentinel", f"{where} names {':'.join(map(str, (_host(master[0]), master[1])))} for '{address.service}'")
    for text in silent:
        yield Finding("note" if masters else "missing", "Sentinel", text)
    if len(masters) > 1:
        yield Finding("note", "Sentinel", "the Sentinels name different servers, so a failover may be under way")
    for host in masters:
        yield await _server(_at(address, host), f"{host[0]}:{host[1]}, master of '{address.service}' ({whose})")
    for host in replicas:
        yield await _server(_at(address, host), f"{host[0]}:{host[1]}, replica", holds_jobs=False)


async def _cluster(address: RedisAddress, whose: str) -> AsyncIterator[Finding]:
    """Yield a line about the cluster, and one for each of its nodes. The first node of the address that answers names the nodes."""
    failures: list[str] = []
    for host in address.hosts:
        try:
            async with _ask(_at(address, host)) as redis:
                state = _pairs(await redis.execute_command("CLUSTER INFO"))
                nodes: Mapping[str, Mapping[str, Any]] = await redis.cluster("nodes")
        except (RedisError, OSError, TimeoutError) as error:
            failures.append(f"{host[0]}:{host[1]} does not answer: {_reason(error)}")
            continue
        break
    else:
        yield Finding("missing", "Redis", f"no node of the cluster answers ({whose}): {'; '.join(failures)}")
        return
    assigned = state.get("cluster_slots_assigned", "0")
    works = state.get("cluster_state") == "ok"
    words = f"{len(nodes)} nodes, {assigned} of 16384 slots assigned, state {state.get('cluster_state')} ({whose})"
    yield Finding("ok" if works else "missing", "Cluster", words)
    for text in failures:
        yield Finding("note", "Cluster", f"a node of the address {text}")
    for name, node in nodes.items():
        host, _, port = name.partition("@")[0].rpartition(":")
        holds_jobs = "master" in node["flags"] and bool(node["slots"])
        kind = f"{'master' if holds_jobs else 'replica' if 'slave' in node['flags'] else 'master without slots'}"
        yield await _server(_at(address, (host, int(port))), f"{host}:{port}, {kind}", holds_jobs=holds_jobs)


def _at(address: RedisAddress, host: tuple[str, int], *, sentinel: bool = False) -> RedisAddress:
    """Return the address of one server, with the TLS options and the credentials of the whole."""
    credentials = address.sentinel_credentials if sentinel else address.credentials
    return replace(address, kind="server", hosts=(host,), service=None, database=0, credentials=credentials)


@asynccontextmanager
async def _ask(address: RedisAddress) -> AsyncGenerator[Any]:
    client = open_client(address, 1)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield client
    finally:
        await close_client(client)


def _program(facts: Mapping[str, Any]) -> str:
    """Return the program and its version. Valkey states the version of Redis that it is compatible with, and its own."""
    valkey = facts.get("valkey_version")
    return f"Valkey {valkey}" if valkey else str(facts["redis_version"])


def _reason(error: Exception) -> str:
    return str(error) or f"no answer within {ANSWER_SECONDS:g} s"


def _host(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _pairs(reply: object) -> dict[str, str]:
    if isinstance(reply, Mapping):
        return {_host(name): _host(value) for name, value in reply.items()}
    return dict(line.split(":", 1) for line in _host(reply).split() if ":" in line)
