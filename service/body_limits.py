"""Say how many bytes the body of a request may have, and how many of an unwanted body are read. It depends on the address."""

from __future__ import annotations

from starlette.types import Scope

from service.auth import identity_of
from service.settings import ServiceSettings

_MODELS = "/v1/models/"


class BodyLimits:
    """The limits of bodies, in bytes. The bodies of batches and models are not held in memory, so their limits are larger."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._usual, self._dropped = settings.max_body_bytes, settings.linger_bytes
        self._batch, self._model = settings.max_batch_bytes, settings.max_model_file_bytes

    def of(self, method: str, path: str) -> int:
        """Return the limit for a request with this method, in capitals, to this path."""
        if path == "/v1/batches":
            return self._batch
        return self._model if _is_model(method, path) else self._usual

    def dropped(self, scope: Scope) -> int:
        """Return how much of a body is read and dropped after an early answer, so that the caller can read that answer.

        A model can be larger than the usual limit. If its sender was let in, all of it is dropped.
        """
        if self._dropped and _is_model(scope["method"], scope["path"]) and identity_of(scope) is not None:
            return max(self._dropped, self._model)
        return self._dropped


def _is_model(method: str, path: str) -> bool:
    return method == "PUT" and path.startswith(_MODELS)
