"""Find models for the routes: in the catalogue, which is read again when it changes, and in what workers have published."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict

from catalog.entry import CatalogEntry
from catalog.watched_catalog import WatchedCatalog
from jobstore.store import JobStore
from schemas.models import ModelDescription, ModelSummary, PublishedModel
from service.settings import ServiceSettings

_MAX_KEPT = 64  # descriptions in memory; a large one has about a megabyte


class ModelLookup:
    """Gives the catalogue entry of a name, and the published description of an entry."""

    def __init__(self, settings: ServiceSettings, store: JobStore) -> None:
        self._folder = WatchedCatalog(settings.models_file, settings.models_dir)
        self._store, self._settings = store, settings
        self._kept: OrderedDict[tuple[str, str], tuple[float, PublishedModel]] = OrderedDict()

    def entry(self, name: str, pointer: str | None = "/model") -> CatalogEntry:
        """Return the catalogue entry of `name`; `pointer` is its place in the body, None if it stood in the address.

        Raises:
            UnknownModel: there is no such model.
        """
        return self._folder.current().entry(name, pointer)

    async def published(self, entry: CatalogEntry) -> PublishedModel:
        """Return what workers have published about the model. If none has yet, ask a worker to load and describe it now.

        Raises:
            NoWorkers: no worker answered within `describe_wait` seconds.
            ModelLoadFailed: the model cannot be loaded.
        """
        published = await self._already_published(entry)
        if published is None:
            published = await self._store.models.describe(entry.name, entry.digest, self._settings.describe_wait)
            self._keep(entry, published)
        return published

    async def summaries(self) -> list[ModelSummary]:
        """Return every model of the catalogue; what only a worker knows is None until one has published it."""
        loaded = await self._loaded()
        return [self._summary(entry, await self._already_published(entry), loaded[entry.name]) for entry in self._folder.current().values()]

    async def description(self, entry: CatalogEntry) -> ModelDescription:
        """Return the model's description, with the number of workers that have it loaded. Raises what `published` raises."""
        published = await self.published(entry)
        return published.description.model_copy(update={"loaded": (await self._loaded())[entry.name], "title": entry.title})

    async def _loaded(self) -> Counter[str]:
        return Counter(name for worker in await self._store.workers.alive() for name in worker.loaded_models)

    async def _already_published(self, entry: CatalogEntry) -> PublishedModel | None:
        key, now = (entry.name, entry.digest), time.monotonic()
        if (kept := self._kept.get(key)) and now - kept[0] < self._settings.description_cache:
            self._kept.move_to_end(key)
            return kept[1]
        published = await self._store.models.read(*key)
        if published is not None:
            self._keep(entry, published)
        return published

    def _keep(self, entry: CatalogEntry, published: PublishedModel) -> None:
        self._kept[entry.name, entry.digest] = (time.monotonic(), published)
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)

    @staticmethod
    def _summary(entry: CatalogEntry, published: PublishedModel | None, loaded: int) -> ModelSummary:
        description = published.description if published else None
        return ModelSummary(
            name=entry.name,
            source=entry.source,
            title=entry.title,
            input=description.input if description else None,
            preprocessing=entry.preprocessing,
            classes=description.classes if description else None,
            loaded=loaded,
        )
