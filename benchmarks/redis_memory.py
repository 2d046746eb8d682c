"""The memory of Redis that grows with what it stores."""

from __future__ import annotations

from typing import Any

from redis import Redis


def stored_bytes(redis: Redis) -> int:
    """Return the memory of Redis without what comes and goes and does not grow with the jobs.

    This leaves out the buffers of connections and of the append-only file, and the memory in which Redis runs scripts.
    """
    memory: Any = redis.info("memory")
    passing = memory["mem_clients_normal"] + memory["mem_aof_buffer"] + memory["used_memory_lua"]
    return int(memory["used_memory"] - passing)
