"""Take a model that a caller uploads, let a worker check it, and put it among the models, whole or not at all."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import structlog
from fastapi import Request

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from jobstore.store import JobStore
from schemas.errors import InvalidParameters, ModelChanged, ModelLoadFailed, NoWorkers, VisualizationError
from schemas.model_upload_errors import ModelNotUploaded, ModelUploadsOff
from schemas.models import MODEL_NAME_PATTERN, ModelDescription, PublishedModel
from service.drain import Drain
from service.echo import echo
from service.model_lookup import ModelLookup
from service.model_uploads.arrival import Arrival
from service.model_uploads.receive_model import check_media_type, receive_model
from service.model_uploads.upload_folder import UploadFolder
from service.request_context import declared_length
from service.settings import ServiceSettings

_SOURCE = "upload"
_LOOKED_FOR_AGAIN = 0.5  # seconds until a worker that did not see a new file is asked again

_log = structlog.get_logger(__name__)


class UploadedModels:
    """The uploaded models of the models folder, which all services and workers share."""

    def __init__(self, settings: ServiceSettings, store: JobStore, lookup: ModelLookup, drain: Drain) -> None:
        self._settings, self._store, self._lookup, self._drain = settings, store, lookup, drain
        self._folder = UploadFolder(settings)

    async def prepare(self) -> None:
        """Make the folder of uploads when the service starts. If that cannot be done, say it in the log; each upload then says it, too."""
        if not self._settings.model_uploads:
            return
        try:
            await anyio.to_thread.run_sync(self._folder.prepare)
        except (VisualizationError, OSError) as error:
            cause = error.__cause__ or error
            _log.error("models_cannot_be_uploaded", folder=str(self._settings.models_dir), reason=str(cause))

    async def upload(self, request: Request, name: str) -> tuple[ModelDescription, bool]:
        """Keep the body of the request as the model `name`, and return its description, and whether the model is new.

        A worker loads and describes the file before it becomes a model. If anything fails, the models are as they were before.

        Raises:
            ModelUploadsOff: uploads are not turned on, or the service cannot write to the models folder.
            InvalidParameters: no model can have this name.
            ModelNotUploaded: the name belongs to a model that was not uploaded.
            ModelQuota: there is no room for another uploaded model.
            UnsupportedFormat, MalformedBody, BodyTooLarge: the body is no model file, or too large.
            ModelLoadFailed, ModelTooLarge: the file holds no model that can be used.
            NoWorkers, ModelLoading: no worker has checked the file in time.
            StorageFull: the disk is full.
        """
        self._check_turned_on()
        _check_name(name)
        check_media_type(request)
        await self._check_owner(name)
        if not await self._store.workers.alive():
            raise NoWorkers("No worker is alive to check the model. Try again later.", retry_after=5)
        async with self._arriving(name, declared_length(request.headers) or 0) as arrival:
            suffix = await receive_model(request, arrival, self._settings)
            entry = await self._identified(arrival, suffix)
            published = await self._checked(entry)
            await self._check_owner(name)
            before = (await self._lookup.catalog()).get(name)
            created = await anyio.to_thread.run_sync(self._folder.place, arrival)
        if before is not None:
            await self._forget(before)
        _log.info("model_uploaded", model=name, version=entry.digest, bytes=arrival.size, replaced=not created)
        return await self._lookup.shown(published, entry), created

    async def delete(self, name: str) -> None:
        """Delete an uploaded model, its description and the settings beside it. Jobs that have its weights in memory go on.

        Raises:
            ModelUploadsOff: uploads are not turned on, or the service cannot write to the models folder.
            ModelNotUploaded: the model was not uploaded.
            UnknownModel: there is no such model.
        """
        self._check_turned_on()
        catalog = await self._lookup.catalog()
        deleted = re.fullmatch(MODEL_NAME_PATTERN, name) and await anyio.to_thread.run_sync(self._folder.delete, name)
        if not deleted:
            if name in catalog or name in catalog.unusable:
                raise _not_uploaded(name, "so it cannot be deleted here")
            catalog.entry(name, None)
        if (entry := catalog.get(name)) is not None and entry.source == _SOURCE:
            await self._forget(entry)
        _log.info("model_deleted", model=name)

    @asynccontextmanager
    async def _arriving(self, name: str, declared: int) -> AsyncGenerator[Arrival]:
        """Give a file for the body. At the end, remove everything of it that has not got its place."""
        arrival = await anyio.to_thread.run_sync(self._folder.begin, name, declared)
        try:
            yield arrival
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._folder.discard, arrival)

    async def _identified(self, arrival: Arrival, suffix: str) -> CatalogEntry:
        try:
            return await anyio.to_thread.run_sync(self._folder.identify, arrival, suffix)
        except CatalogError as error:
            raise ModelLoadFailed(f"Model '{arrival.name}' cannot be used. {error}") from error

    async def _checked(self, entry: CatalogEntry) -> PublishedModel:
        """Let a worker load and describe the file, as any other model that nobody has described yet."""
        started, limit = time.monotonic(), self._settings.model_check_wait
        while True:
            spent = time.monotonic() - started
            try:
                return await self._drain.cut_short(self._store.models.describe(entry.name, entry.digest, limit - spent))
            except ModelChanged:  # a network file system may show a new file late
                if spent + _LOOKED_FOR_AGAIN > min(limit, self._settings.describe_wait):
                    raise
                await asyncio.sleep(_LOOKED_FOR_AGAIN)
            except VisualizationError as error:
                await self._forget(entry)
                if error.retryable:
                    raise type(error)(f"{error.detail} The upload was not kept.", retry_after=error.retry_after) from error
                raise

    async def _forget(self, entry: CatalogEntry) -> None:
        """Forget what workers have published about a version. If Redis does not answer, it expires by itself."""
        try:
            await self._store.models.forget(entry.name, entry.digest)
        except VisualizationError as error:
            _log.warning("description_not_forgotten", model=entry.name, version=entry.digest, reason=error.detail)

    async def _check_owner(self, name: str) -> None:
        catalog = await self._lookup.catalog()
        found = catalog.get(name) or catalog.unusable.get(name)
        if found is not None and found.source != _SOURCE:
            raise _not_uploaded(name, "so it cannot be replaced by an upload. Choose another name")

    def _check_turned_on(self) -> None:
        if not self._settings.model_uploads:
            raise ModelUploadsOff("This service takes and deletes no models. The operator can turn this on with CONVSCOPE_MODEL_UPLOADS.")


def _check_name(name: str) -> None:
    if not re.fullmatch(MODEL_NAME_PATTERN, name) or name.endswith(".weights"):
        raise InvalidParameters(
            f"'{echo(name)}' cannot be a model's name. A name must match {MODEL_NAME_PATTERN}, and must not end in .weights, as files of "
            "weights alone do.",
            pointer="/model",
            allowed=MODEL_NAME_PATTERN,
            got=echo(name),
        )


def _not_uploaded(name: str, consequence: str) -> ModelNotUploaded:
    return ModelNotUploaded(
        f"The model '{name}' belongs to the operator or to convscope itself, {consequence}.",
        pointer="/model",
        allowed="the name of an uploaded model",
        got=name,
    )
