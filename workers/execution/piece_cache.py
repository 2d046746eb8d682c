"""Keep the finished pieces of slow jobs in the store, and find those that earlier jobs have left (see `workers.contract.Reusable`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from jobstore.keys import execution_key
from jobstore.store import JobStore
from rendering import encode
from schemas.errors import BrokerUnavailable, StorageFull
from schemas.models import PublishedModel
from telemetry.logs import get_logger
from workers.contract.progress import Pieces, Reusable, Slice
from workers.execution.threads import in_pool

OnSlice = Callable[[Slice], None]


class PieceCache(Protocol):
    """The pieces of one job."""

    async def find(self) -> Pieces:
        """Return the pieces that earlier jobs have left."""
        ...

    def recording(self, on_slice: OnSlice) -> OnSlice:
        """Return a function that calls `on_slice` and also keeps the pieces of each slice. Any thread may call it."""
        ...

    async def flush(self) -> None:
        """Wait until all recorded pieces are kept."""
        ...


class NullPieceCache:
    """The cache of a method that has no reusable pieces. It finds and keeps nothing."""

    async def find(self) -> Pieces:
        return {}

    def recording(self, on_slice: OnSlice) -> OnSlice:
        return on_slice

    async def flush(self) -> None:
        pass


class StoredPieceCache:
    """The cache of a method with reusable pieces. If the store is unavailable or full, pieces are lost, but the job goes on.

    Args:
        store: the store that keeps the pieces.
        pool: the threads that encode and decode the arrays.
        reusable: the work whose pieces are shared, and the names of those that the job wants.
        model: the model of the job. Another model, or another version of it, has other pieces.
        versions: the versions of the software, as text. Pieces of other versions are not found.
        fresh: if it is true, no earlier pieces are found. New ones are kept all the same.
    """

    def __init__(self, store: JobStore, pool: Executor, reusable: Reusable, model: PublishedModel, versions: str, *, fresh: bool) -> None:
        self._store, self._pool, self._names, self._fresh = store, pool, reusable.names, fresh
        self._work = execution_key(model.description.fingerprint, model.digest, versions, reusable.work)
        self._loop = asyncio.get_running_loop()
        self._writing: set[asyncio.Task[None]] = set()

    async def find(self) -> Pieces:
        if self._fresh:
            return {}
        try:
            stored = await self._store.pieces.read(self._work, self._names)
        except (BrokerUnavailable, StorageFull) as error:
            get_logger(__name__).warning("nothing reused", code=error.code)
            return {}
        return {name: await in_pool(self._pool, encode.arrays, content) for name, content in stored.items()}

    def recording(self, on_slice: OnSlice) -> OnSlice:
        def record(state: Slice) -> None:
            if state.pieces:
                self._loop.call_soon_threadsafe(self._begin, state.pieces)
            on_slice(state)

        return record

    async def flush(self) -> None:
        while self._writing:
            await asyncio.wait(self._writing)

    def _begin(self, pieces: Pieces) -> None:
        task = asyncio.create_task(self._keep(pieces))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _keep(self, pieces: Pieces) -> None:
        contents = {name: await in_pool(self._pool, encode.npz, arrays) for name, arrays in pieces.items()}
        try:
            await self._store.pieces.keep(self._work, contents)
        except (BrokerUnavailable, StorageFull) as error:
            get_logger(__name__).warning("pieces not kept", code=error.code, pieces=len(pieces))
