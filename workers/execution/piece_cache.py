"""What a long job takes over from earlier ones, and leaves to later ones: see `workers.contract.Reusable`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from jobstore.keys import execution_key
from jobstore.store import JobStore
from schemas.errors import BrokerUnavailable, StorageFull
from schemas.models import PublishedModel
from telemetry.logs import get_logger
from workers.contract.progress import Pieces, Reusable, Slice
from workers.execution.threads import in_pool
from workers.rendering import encode


class Keeping:
    """Of one job. A store that is away or full costs what could have been reused, never the job."""

    def __init__(self, store: JobStore, pool: Executor, reusable: Reusable, model: PublishedModel, versions: str) -> None:
        self._store, self._pool, self._names = store, pool, reusable.names
        self._work = execution_key(model.description.fingerprint, model.digest, versions, reusable.work)
        self._loop = asyncio.get_running_loop()
        self._writing: set[asyncio.Task[None]] = set()

    async def found(self) -> Pieces:
        """The pieces that are at hand."""
        try:
            stored = await self._store.pieces.read(self._work, self._names)
        except (BrokerUnavailable, StorageFull) as error:
            get_logger(__name__).warning("nothing reused", code=error.code)
            return {}
        return {name: await in_pool(self._pool, encode.arrays, content) for name, content in stored.items()}

    def watching(self, on_slice: Callable[[Slice], None]) -> Callable[[Slice], None]:
        """`on_slice`, which also has the slices' pieces kept; to be called from any thread."""

        def told(state: Slice) -> None:
            if state.pieces:
                self._loop.call_soon_threadsafe(self._begin, state.pieces)
            on_slice(state)

        return told

    async def settled(self) -> None:
        """Returns when all that came is kept."""
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
