"""Tell the person who started convscope whether its models work, and the first call to try."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from cli.stack import Stack
from schemas.models import ModelSummary
from schemas.problem import Problem

_SAMPLE = Path("samples/cat.jpg")
_OK, _UNAVAILABLE = 200, 503
_summaries = TypeAdapter(list[ModelSummary])


class FirstCall:
    """Asks a running service about its models.

    Args:
        stack: the running convscope.
        preloaded: the names of the models that the workers load when they start, the most important first.
        needs_key: true if callers need an API key.
    """

    def __init__(self, stack: Stack, preloaded: Sequence[str], *, needs_key: bool = False) -> None:
        self._stack, self._needs_key = stack, needs_key
        self._model = preloaded[0] if preloaded else "efficientnet_lite0"
        self._problem: str | None = None

    def is_answered(self) -> bool:
        """Return whether the service describes the first model, so that a call for it is answered, or says why it never will."""
        status, body = self._stack.get(f"/v1/models/{self._model}") or (_UNAVAILABLE, b"")
        if status == _UNAVAILABLE:
            return False
        self._problem = None if status == _OK else Problem.model_validate_json(body).detail
        return True

    def lines(self) -> list[str]:
        """Return what to print: each model that cannot be used, with its reason, and the curl line to try."""
        _, body = self._stack.get("/v1/models") or (_UNAVAILABLE, b"[]")
        unusable = [f"Model '{each.name}' cannot be used. {each.reason}" for each in _summaries.validate_json(body) if each.reason]
        if self._problem is not None:
            return [*unusable, f"The first model to load does not work: {self._problem}"]
        return [*unusable, "Try it:", f"  {curl_line(self._stack.url, self._model, needs_key=self._needs_key)}"]


def curl_line(url: str, model: str, *, needs_key: bool = False) -> str:
    """Return the command that draws a Grad-CAM of the sample photo, ready to be pasted into a shell in the working directory."""
    beside_the_code = Path(__file__).parents[1] / _SAMPLE
    photo = _SAMPLE if _SAMPLE.is_file() else beside_the_code if beside_the_code.is_file() else Path("photo.jpg")
    key = '-H "X-API-Key: $KEY" ' if needs_key else ""
    return f"curl -f {key}-F image=@{shlex.quote(str(photo))} -F model={model} {url}/v1/grad_cam -o grad_cam.png"
