"""Name every key in Redis, and choose the shard in which it lives.

A key is `convscope:{shard}:kind:id`, for example `convscope:{0}:job:01K5YQZ7T8Y1W4V9N3M2XQJ6RD`. All keys that one script touches have the
same hash tag (the part in braces): a job, its execution, its image and the queue of its lane live in one shard. So a Redis Cluster can
spread the shards, and no script crosses a slot. The scripts make keys from the prefix of their shard by the same rule.

| kind | id | type: value |
|---|---|---|
| `job` | job | hash: the fields of one job, named as in `JobRecord` |
| `events` | job | sorted set: the job's last events, by their sequence number |
| `announcements` | `all` or `changes` | stream: the jobs and batches of the shard's last ends (`all`), or of its last other events |
| `execution` | execution | hash: the fields that identical jobs share, named as in `JobRecord`; the id is that of the first job |
| `params` | execution | string: the parameters, JSON |
| `result` | execution | string: how it has ended, JSON, or the name of the file that says it; see `outcome.py` |
| `held` | execution | string: the names of the stored files that it holds, separated by spaces |
| `joined` | execution | set: the jobs that wait for the execution or have its result |
| `preview` | execution | hash: the newest preview and its step |
| `pieces` | sha256 of the work | hash: the names of kept pieces and of the stored files that hold them |
| `files` | `all` | hash: the account of stored files, by the sha256 of their content, and their bytes in all |
| `garbage` | `all` | set: the names of stored files that nobody needs and that are not deleted yet |
| `stored` | `all` | sorted set: the results, uploads and pieces, which may give way, by the time at which they end anyway |
| `ended` | `all` | sorted set: the records of ended executions without files and of canceled jobs, by the time at which they end |
| `evictions` | `all` | hash: how often what was stored has given way, by kind and reason |
| `latest` | execution key | string: the id of the newest execution of that work |
| `upload` | sha256:owner | string: the file's name and the record of an image that this owner has uploaded |
| `uploads` | owner | sorted set: the sha256 of the images that this owner has uploaded, by the time of the last upload |
| `webhook` | job or batch | hash: where and when its end is told, and how often that was tried |
| `deliveries` | `all` | sorted set: the jobs and batches whose end is to be told, by the time of the next attempt |
| `endpoint` | owner:sha256 of the address | hash: how the last attempts to reach an endpoint went |
| `endpoints` | owner | sorted set: the sha256 of the addresses of the owner's endpoints, by the time of the last attempt |
| `webhook_secret` | owner | hash: the secret that signs the owner's webhooks, and the one before |
| `set` | owner:set | string: the name of a set of uploads, its images and the time when it was made, JSON |
| `sets` | owner | sorted set: the owner's sets, by the time at which they expire |
| `jobs` | owner | sorted set: the owner's jobs, by id |
| `active` | caller | sorted set: the caller's jobs that are queued or running, if a limit applies to the caller |
| `drained` | caller or `all` | hash: how many jobs of a caller, or executions, have ended lately, and the time that they took |
| `quota` | kind:caller | string: the time at which the caller's quota of requests is whole again |
| `queue` | lane:priority | stream: queued and running executions, read by the consumer group `workers` |
| `waiting` | lane:priority | sorted set: the queued executions, by the time they were queued |
| `running` | lane | sorted set: the running executions, by the time they were started |
| `wakeup` | lane | stream of length 1: gets an entry when there is something to claim |
| `returned` | lane | string: exists if executions have been given back since a worker last looked for them |
| `idempotency` | owner:key | string: the sha256 of the request, the job's id, and `reserved` or `made` |
| `batch` | batch | hash: the fields of one batch, named as in `BatchRecord`, and the feeder that has its lease |
| `batch_items` | batch | hash: the items that were taken and have not ended, by number: `s<segment>` or `s<segment> <job>` |
| `batch_rows` | batch | list: a row of JSON for each item that has ended, in the order of completion |
| `batch_files` | batch or set | hash: the names of the stored files that the batch or the set holds in this shard |
| `batch_holds` | `all` | sorted set: the batches and sets that hold files in this shard, by the time at which the sweep lets go of them |
| `item_ends` | batch | sorted set: the items whose jobs have ended in this shard and which the feeder has not seen yet |
| `batches` | owner | sorted set: the owner's batches, by id |
| `active_batches` | owner | sorted set: the owner's batches that have not ended, by the time at which they are given up |
| `feeding` | `all` | sorted set: the batches that need a feeder, by the time at which their lease runs out |
| `worker` | worker | string: the last heartbeat |
| `workers` | `all` | set: the workers that may be alive |
| `model` | name:digest | string: a published model |
| `api_key` | API key | hash: the key's owner, scopes, times, and the sha256 of the key |
| `api_keys` | `all` | set: the API keys that may be valid |
| `signing` | day | string: the secret that signs addresses which expire on that day |
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import Literal
from urllib.parse import quote

from ulid import ULID

KeyKind = Literal[
    "job", "events", "announcements", "execution", "params", "result", "held", "joined", "preview", "latest", "upload", "uploads",
    "jobs", "active", "set", "sets", "webhook", "deliveries", "endpoint", "endpoints", "webhook_secret", "queue", "waiting", "running",
    "wakeup", "returned", "idempotency", "pieces", "files", "garbage", "stored", "ended", "evictions", "worker", "workers", "model",
    "api_key", "api_keys", "batch", "batch_items", "batch_rows", "batch_files", "batch_holds", "item_ends", "batches", "active_batches",
    "feeding", "signing", "drained", "quota",
]  # fmt: skip
Shard = int | Literal["workers", "models", "api_keys"]  # the last three are one place each, however many shards there are

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def prefix(shard: Shard) -> str:
    """Return the beginning of every key of a shard."""
    return f"convscope:{{{shard}}}:"


def key(shard: Shard, kind: KeyKind, identity: str) -> str:
    """Return the name of a key."""
    return f"{prefix(shard)}{kind}:{identity}"


def owner_key(owner: str) -> str:
    """Return an owner's name in a form that can be part of a key: without colons and braces."""
    return quote(owner, safe="")


def shard_of(name: str, shards: int) -> int:
    """Return the number of the shard, from 0, in which a job or an image lives."""
    return zlib.crc32(name.encode()) % shards


def is_job_id(text: str) -> bool:
    """Tell whether a text has the form of a job id (a ULID)."""
    return _ULID.fullmatch(text) is not None


def new_job_id(shard: int, shards: int) -> str:
    """Return a new ULID that lives in the shard `shard`."""
    while True:
        job = str(ULID())
        if shard_of(job, shards) == shard:
            return job


def oldest_job_id(seconds: float) -> str:
    """Return a lower bound of the ids that were made within the last `seconds`."""
    timestamp = max(ULID().timestamp - seconds, 0.0)
    return str(ULID.from_timestamp(timestamp))[:10]


def image_sha256(image_id: str) -> str:
    """Return the sha256 in an image id (`img_<sha256>`)."""
    return image_id.removeprefix("img_")


def execution_key(*parts: str | None) -> str:
    """Return the sha256 of everything that decides a result. Equal keys mean equal work. None differs from an empty text."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"-" if part is None else f"{len(part)}:{part}".encode())
    return digest.hexdigest()
