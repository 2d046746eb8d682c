"""Find loaded models, load the others on threads of their own, and publish the description of each model to the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from jobstore.store import JobStore
from rendering.photo import Placement
from schemas.models import Fit, Preprocessing, PublishedModel, UnloadableModel
from workers.contract.arrays import Float32, UInt8
from workers.contract.probe import Probe
from workers.execution.at_work import work
from workers.execution.retry import retry_until_available
from workers.execution.threads import in_pool


class UsableModel(Protocol):
    """A loaded model, as far as the pipeline needs it; `workers.models.pool.LoadedModel` is the real one."""

    @property
    def published(self) -> PublishedModel: ...
    @property
    def probe(self) -> Probe: ...
    def prepare(
        self,
        image: UInt8 | Float32,
        name: str | None = None,
        fit: Fit | None = None,
        *,
        size: tuple[int, int] | None = None,
        rule: Preprocessing | None = None,
    ) -> tuple[Float32, Placement]: ...


class ModelProvider(Protocol):
    """Loads models and keeps them; `workers.models.pool.ModelPool` is the real one. It is thread-safe. `loaded` never waits, `get` does."""

    def loaded(self, name: str, digest: str) -> UsableModel | None: ...
    def get(self, name: str, digest: str = "") -> UsableModel: ...


OnLoading = Callable[[bool], None]
"""Is called with True when a job begins to wait until its model is loaded, and with False when the model is there."""


def ignore_loading(loading: bool) -> None:
    """Do nothing."""


class ModelAccess:
    """Gives the pipeline its models.

    A loaded model is found at once. A model that is not loaded is loaded once for all who wait for it, on one of `threads` threads, so that
    no load delays a job of a loaded model.
    """

    def __init__(self, store: JobStore, loader: ModelProvider, threads: int = 2) -> None:
        self._store, self._loader = store, loader
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="load")
        self._loads: dict[tuple[str, str], asyncio.Task[UsableModel]] = {}
        self._published_digests: dict[str, str] = {}

    async def get(self, name: str, digest: str = "", on_loading: OnLoading = ignore_loading) -> UsableModel:
        """Return the version `digest` of the model; an empty digest stands for the present version.

        The first time, its description is published.

        Raises:
            UnknownModel: There is no model of this name.
            ModelChanged: The worker has another version of the model.
            ModelLoadFailed: The model cannot be loaded.
        """
        model = await self.load(name, digest, on_loading)
        if self._published_digests.get(name) != model.published.digest:
            await self.publish(model)
        return model

    async def load(self, name: str, digest: str = "", on_loading: OnLoading = ignore_loading) -> UsableModel:
        """Return the model and publish nothing. It raises the same errors as `get`."""
        if (model := self._loader.loaded(name, digest)) is not None:
            return model
        on_loading(True)
        with work().under_way():  # a model that kills the worker while it is loaded is the fault of all who ask for it
            model = await asyncio.shield(self._load_of(name, digest))  # the load goes on for the others if this caller leaves
        on_loading(False)
        return model

    def _load_of(self, name: str, digest: str) -> asyncio.Task[UsableModel]:
        """Return the load of this version that runs or waits for a thread. Begin it if there is none."""

        def ended(load: asyncio.Task[UsableModel]) -> None:
            del self._loads[name, digest]
            if not load.cancelled():
                load.exception()  # otherwise asyncio complains if nobody waits for a load that fails

        if (name, digest) not in self._loads:
            load = asyncio.create_task(in_pool(self._threads, self._loader.get, name, digest))
            load.add_done_callback(ended)
            self._loads[name, digest] = load
        return self._loads[name, digest]

    async def publish(self, model: UsableModel) -> None:
        """Publish the model's description, so that the service can answer questions about the model."""
        await retry_until_available(lambda: self._store.models.publish(model.published))
        self._published_digests[model.published.description.name] = model.published.digest

    async def publish_failure(self, failure: UnloadableModel) -> None:
        """Publish why a model cannot be loaded, so that the service lists it as unusable."""
        await retry_until_available(lambda: self._store.models.publish_failure(failure))

    async def withdraw_outdated(self, models: Sequence[tuple[str, str]]) -> None:
        """Withdraw, among these (name, digest), what other settings or other code of the operator's own may have changed."""
        await retry_until_available(lambda: self._store.models.withdraw_outdated(models))

    def close(self) -> None:
        """Give the threads up without waiting for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
