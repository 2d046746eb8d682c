"""Find models for the routes: in the catalogue, which is read again when it changes, and in what workers have published."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence

import anyio.to_thread

from catalog.catalog import Catalog
from catalog.entry import CatalogEntry
from catalog.unusable import UnusableModel
from catalog.watched_catalog import WatchedCatalog
from jobstore.store import JobStore
from schemas.errors import InvalidParameters, ModelChanged
from schemas.models import ModelDescription, ModelSummary, PublishedModel, UnloadableModel
from service.drain import Drain
from service.settings import ServiceSettings
from service.validation_errors import invalid_parameters

_CHANGED_PAUSE = 0.5  # seconds until the service and the workers are asked again for a model whose files have just changed
_MISSING = "model is required."
_SUGGESTED = 5  # models
_MAX_KEPT = 64  # descriptions in memory; a large one has about a megabyte


class ModelLookup:
    """Gives the catalogue entry of a name, and the published description of an entry."""

    def __init__(self, settings: ServiceSettings, store: JobStore, drain: Drain) -> None:
        self._folder = WatchedCatalog(settings.models_file, settings.models_dir)
        self._store, self._settings, self._drain = store, settings, drain
        self._kept: OrderedDict[tuple[str, str], tuple[float, PublishedModel]] = OrderedDict()

    async def entry(self, name: str, pointer: str | None = "/model") -> CatalogEntry:
        """Return the catalogue entry of `name`; `pointer` is its place in the body, None if it stood in the address.

        Raises:
            UnknownModel: there is no such model.
            ModelLoadFailed: the model's settings or its file have a fault.
        """
        return (await self.catalog()).entry(name, pointer)

    async def published(self, entry: CatalogEntry, wait: float = 0.0) -> PublishedModel:
        """Return what workers have published about the model. If none has yet, ask a worker to load and describe it now.

        This needs no worker if the model was described before. Otherwise, if no worker is alive, it waits up to `wait` seconds for one.
        If the model's files change meanwhile, what is returned belongs to their newest version.

        Raises:
            NoWorkers: no worker is alive, or none was free within `wait` or `describe_wait` seconds, whichever is longer.
            ModelLoading: a worker is still loading the model after that time.
            ModelChanged: the workers have another version of the model than the service, all that time.
            ModelLoadFailed: the model cannot be loaded.
            ShuttingDown: the service began to shut down.
        """
        published = self._kept_model(entry)
        if published is None:
            known = await self._store.models.read(entry.name, entry.digest)
            published = known or await self._drain.cut_short(self._described(entry, wait))
            self._keep(published)
        return published

    async def _described(self, entry: CatalogEntry, wait: float) -> PublishedModel:
        started = time.monotonic()
        limit = max(wait, self._settings.describe_wait)
        while True:
            spent = time.monotonic() - started
            try:
                return await self._store.models.describe(entry.name, entry.digest, limit - spent, wait - spent)
            except ModelChanged:
                if time.monotonic() - started + _CHANGED_PAUSE > limit:
                    raise
            await asyncio.sleep(_CHANGED_PAUSE)
            entry = await self.entry(entry.name, None)

    async def summaries(self) -> list[ModelSummary]:
        """Return every model of the catalogue; what only a worker knows is None until one has published it.

        Redis is asked once for all models, and at the same time for the workers.
        """
        catalog = await self.catalog()
        entries = list(catalog.values())
        found, loaded = await asyncio.gather(self._all_published(entries), self._loaded())
        usable = [self._summary(entry, published, loaded[entry.name]) for entry, published in zip(entries, found, strict=True)]
        return [*usable, *(_faulty(model) for name, model in sorted(catalog.unusable.items()) if name not in catalog)]

    async def suggest(self, error: InvalidParameters) -> InvalidParameters:
        """Return the error with the names of some models, if it says that the model is missing."""
        names = tuple(await self.catalog())[:_SUGGESTED]
        hint = f"model is required. Some models are {', '.join(names)}. See /v1/models."
        errors = [
            each.model_copy(update={"detail": hint, "nearest": names}) if each.pointer == "/model" and each.detail == _MISSING else each
            for each in error.field_errors
        ]
        return invalid_parameters(errors) if errors != list(error.field_errors) else error

    async def description(self, entry: CatalogEntry) -> ModelDescription:
        """Return the model's description, with the number of workers that have it loaded. Raises what `published` raises."""
        return await self.shown(await self.published(entry), entry)

    async def shown(self, published: PublishedModel, entry: CatalogEntry) -> ModelDescription:
        """Return what a worker has published about the version `entry`, with the number of workers that have it loaded."""
        return published.description.model_copy(update={"loaded": (await self._loaded())[entry.name], "title": entry.title})

    async def catalog(self) -> Catalog:
        """Return the catalogue as it is on disk now."""
        return await anyio.to_thread.run_sync(self._folder.current)  # it reads the disk

    async def _loaded(self) -> Counter[str]:
        return Counter(name for worker in await self._store.workers.alive() for name in worker.loaded_models)

    async def _all_published(self, entries: Sequence[CatalogEntry]) -> list[PublishedModel | UnloadableModel | None]:
        kept = [self._kept_model(entry) for entry in entries]
        missing = [entry for entry, published in zip(entries, kept, strict=True) if published is None]
        read = await self._store.models.read_many([(entry.name, entry.digest) for entry in missing])
        for published in read:
            if isinstance(published, PublishedModel):
                self._keep(published)
        answers = iter(read)
        return [next(answers) if published is None else published for published in kept]

    def _kept_model(self, entry: CatalogEntry) -> PublishedModel | None:
        key = (entry.name, entry.digest)
        if (kept := self._kept.get(key)) and time.monotonic() - kept[0] < self._settings.description_cache:
            self._kept.move_to_end(key)
            return kept[1]
        return None

    def _keep(self, published: PublishedModel) -> None:
        self._kept[published.description.name, published.digest] = (time.monotonic(), published)
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)

    @staticmethod
    def _summary(entry: CatalogEntry, published: PublishedModel | UnloadableModel | None, loaded: int) -> ModelSummary:
        description = published.description if isinstance(published, PublishedModel) else None
        reason = published.reason if isinstance(published, UnloadableModel) else None
        return ModelSummary(
            name=entry.name,
            source=entry.source,
            title=entry.title,
            state="usable" if reason is None else "unusable",
            reason=reason,
            input=description.input if description else None,
            preprocessing=entry.preprocessing,
            classes=description.classes if description else None,
            loaded=loaded,
        )


def _faulty(model: UnusableModel) -> ModelSummary:
    return ModelSummary(
        name=model.name,
        source=model.source,
        title=model.title,
        state="unusable",
        reason=model.reason,
        input=None,
        preprocessing=None,
        classes=None,
        loaded=0,
    )
