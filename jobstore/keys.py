"""Every key's name, and which shard a thing lives in.

A key is `convscope:{shard}:kind:id`. What one script touches carries one hash tag: a job, its execution, its image and its
lane's queue are in one shard, so Redis Cluster may spread shards and no script crosses a slot. The scripts make the keys of their
shard from its prefix, by the same rule.

| kind | id | what |
|---|---|---|
| `job` | job | hash: what belongs to one submission |
| `events` | job | stream: its events, capped |
| `execution` | execution | hash: what identical submissions share; its id is that of the first job |
| `joined` | execution | set: the jobs that stand behind it |
| `artifacts` | execution | hash: the bytes of small artifacts |
| `preview` | execution | hash: the newest preview |
| `pieces` | sha256 of the work | hash: names of kept pieces, and the files they are in |
| `latest` | execution key | string: the newest execution of that work |
| `image` | sha256 | hash: `content`, or the name of a `file` |
| `upload` | sha256:owner | string: facts of an image this owner has uploaded |
| `jobs` | owner | sorted set: the owner's jobs, by id |
| `active` | owner | sorted set: those queued or running |
| `queue` | lane:priority | stream: executions, read by the consumer group `workers` |
| `waiting` | lane:priority | sorted set: the same ones, by the time they were queued |
| `running` | lane | sorted set: executions, by the time they were started |
| `wakeup` | lane | stream of length 1: written to when there is something to claim |
| `idempotency` | owner:key | string: digest, job id, whether the job is there |
| `worker` | worker | string: its last heartbeat |
| `workers` | `all` | set: workers heard of |
| `model` | name:digest | string: a published model |
| `index`, `total` | `files` | sorted set: stored files by the end of their life; string: their bytes |
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import Literal
from urllib.parse import quote

from ulid import ULID

Kind = Literal[
    "job", "events", "execution", "joined", "artifacts", "preview", "latest", "image", "upload", "jobs", "active", "queue", "waiting",
    "running", "wakeup", "idempotency", "pieces", "worker", "workers", "model", "index", "total",
]  # fmt: skip
Shard = int | Literal["workers", "models", "files"]  # the last three: one place each, whatever the number of shards

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def prefix(shard: Shard) -> str:
    return f"convscope:{{{shard}}}:"


def key(shard: Shard, kind: Kind, identity: str) -> str:
    return f"{prefix(shard)}{kind}:{identity}"


def owner_key(owner: str) -> str:
    """An owner's name as part of a key."""
    return quote(owner, safe="")


def shard_of(name: str, shards: int) -> int:
    return zlib.crc32(name.encode()) % shards


def is_job_id(text: str) -> bool:
    return _ULID.fullmatch(text) is not None


def new_job_id(shard: int, shards: int) -> str:
    """A ULID whose `shard_of` is `shard`."""
    while True:
        job = str(ULID())
        if shard_of(job, shards) == shard:
            return job


def oldest_job_id(seconds: float) -> str:
    """A lower bound of the ids that were made within the last `seconds`."""
    timestamp = max(ULID().timestamp - seconds, 0.0)
    return str(ULID.from_timestamp(timestamp))[:10]


def image_sha256(image_id: str) -> str:
    return image_id.removeprefix("img_")


def execution_key(*parts: str | None) -> str:
    """sha256 of what decides a result: equal keys, equal work."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"-" if part is None else f"{len(part)}:{part}".encode())
    return digest.hexdigest()
