"""Load models on threads of their own, and publish the description of each model to the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from jobstore.store import JobStore
from rendering.photo import Placement
from schemas.models import PublishedModel, UnloadableModel
from workers.contract.arrays import Float32, UInt8
from workers.contract.probe import Probe
from workers.execution.retry import retry_until_available
from workers.execution.threads import in_pool


class UsableModel(Protocol):
    """A loaded model, as far as the pipeline needs it; `workers.models.pool.LoadedModel` is the real one."""

    @property
    def published(self) -> PublishedModel: ...
    @property
    def probe(self) -> Probe: ...
    def prepare(self, image: UInt8) -> tuple[Float32, Placement]: ...


class ModelProvider(Protocol):
    """Loads a model or returns the loaded one; `workers.models.pool.ModelPool` is the real one. It blocks and is thread-safe."""

    def get(self, name: str) -> UsableModel: ...


class ModelAccess:
    """Gives the pipeline its models."""

    def __init__(self, store: JobStore, loader: ModelProvider) -> None:
        self._store, self._loader = store, loader
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="load")
        self._published_digests: dict[str, str] = {}

    async def get(self, name: str) -> UsableModel:
        """Return the model. The first time, its description is published.

        Raises:
            UnknownModel: There is no model of this name.
            ModelLoadFailed: The model cannot be loaded.
        """
        model = await self.load(name)
        if self._published_digests.get(name) != model.published.digest:
            await self.publish(model)
        return model

    async def load(self, name: str) -> UsableModel:
        """Return the model and publish nothing. It raises the same errors as `get`."""
        return await in_pool(self._threads, self._loader.get, name)

    async def publish(self, model: UsableModel) -> None:
        """Publish the model's description, so that the service can answer questions about the model."""
        await retry_until_available(lambda: self._store.models.publish(model.published))
        self._published_digests[model.published.description.name] = model.published.digest

    async def publish_failure(self, failure: UnloadableModel) -> None:
        """Publish why a model cannot be loaded, so that the service lists it as unusable."""
        await retry_until_available(lambda: self._store.models.publish_failure(failure))

    def close(self) -> None:
        """Give the threads up without waiting for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
