"""The result of a job: its facts, its warnings, and its artifacts as Pillow images, NumPy arrays and texts."""

from __future__ import annotations

import asyncio
import base64
import html
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convscope.save_result import write_result

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_PNG = b"\x89PNG"
Fetch = Callable[[str], Awaitable[bytes]]


class AsyncResult:
    """The result of a succeeded job, as `AsyncClient` returns it.

    The contents of artifacts are downloaded by `load`. Afterwards, `overlay`, `map` and `result[name]` return them.
    """

    def __init__(self, job: Mapping[str, Any], fetch: Fetch, contents: Mapping[str, bytes] | None = None) -> None:
        self.job = dict(job)
        self.fetch = fetch
        self._contents: dict[str, bytes] = dict(contents or {})

    @property
    def id(self) -> str:
        """The id of the job."""
        return str(self.job["id"])

    @property
    def method(self) -> str:
        """The name of the method."""
        return str(self.job["method"])

    @property
    def model(self) -> str:
        """The name of the model."""
        return str(self.job["model"])

    @property
    def facts(self) -> dict[str, Any]:
        """The facts that the method found, such as the class, its label and its probability."""
        return dict(self.job["facts"] or {})

    @property
    def warnings(self) -> list[str]:
        """Sentences that a reader of the result should know."""
        return list(self.job["warnings"])

    @property
    def artifacts(self) -> dict[str, dict[str, Any]]:
        """The description of each artifact by its name: `kind`, `shape`, `dtype`, and whether it is `primary`."""
        return {artifact["name"]: artifact for artifact in self.job["artifacts"]}

    @property
    def primary(self) -> str | None:
        """The name of the picture that the method is mainly asked for, or None if it makes none."""
        return next((name for name, artifact in self.artifacts.items() if artifact["primary"]), None)

    @property
    def overlay(self) -> Image.Image:
        """The primary picture, RGB. For a class activation map it is the heatmap on the photo.

        Raises:
            LookupError: the result has no picture, or it is not loaded (only with `AsyncClient`).
        """
        if self.primary is None:
            raise LookupError(f"The result of {self.method} has no primary picture; it has {', '.join(self.artifacts)}.")
        return self[self.primary]

    @property
    def map(self) -> np.ndarray[Any, Any]:
        """The array `map`: float32 (h, w) for one class, (n, h, w) for several.

        Raises:
            LookupError: the result has no such array, or it is not loaded (only with `AsyncClient`).
        """
        return self["map"]

    def __getitem__(self, name: str) -> Any:
        """Return an artifact: a Pillow image, a NumPy array, or the text of a document.

        Raises:
            LookupError: the result has no such artifact, or it is not loaded (only with `AsyncClient`).
        """
        return _decoded(self._described(name), self.content(name))

    def content(self, name: str) -> bytes:
        """Return an artifact as the bytes of a file: PNG, WebP, npy, or a document's text.

        Raises:
            LookupError: the result has no such artifact, or it is not loaded (only with `AsyncClient`).
        """
        self._described(name)
        if name not in self._contents:
            raise LookupError(f"The artifact '{name}' is not loaded. Write `await result.load({name!r})` first.")
        return self._contents[name]

    async def load(self, *names: str) -> AsyncResult:
        """Download artifacts, all of them if no names are given, and return the result itself."""
        missing = [name for name in (names or tuple(self.artifacts)) if name not in self._contents]
        for name in missing:
            self._described(name)
        for name, content in zip(missing, await asyncio.gather(*map(self.fetch, missing)), strict=True):
            self._contents[name] = content
        return self

    async def save(self, folder: str | Path, names: Iterable[str] | None = None) -> list[Path]:
        """Write artifacts, all of them if no names are given, and `job.json` to a folder, and return the paths.

        The folder is made if it is missing. Each file is written whole or not at all.
        """
        wanted = list(self.artifacts if names is None else names)
        await self.load(*wanted)
        return await asyncio.to_thread(write_result, Path(folder), self.job, {name: self._contents[name] for name in wanted})

    def _described(self, name: str) -> dict[str, Any]:
        try:
            return self.artifacts[name]
        except KeyError:
            raise LookupError(f"The result of {self.method} has no artifact '{name}'; it has {', '.join(self.artifacts)}.") from None

    def _repr_png_(self) -> bytes | None:
        """Return the primary picture as PNG for a notebook, or None if there is none or it is not loaded."""
        try:
            content = self.content(self.primary) if self.primary else None
        except LookupError:
            return None
        return content if content and content.startswith(_PNG) else None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the forms in which a notebook can show the result: a picture, and the facts in words."""
        bundle = {"text/plain": repr(self)}
        if picture := self._repr_png_():
            bundle["image/png"] = base64.b64encode(picture).decode()
        else:
            bundle["text/html"] = f"<pre>{html.escape(repr(self))}</pre>"
        return bundle

    def __repr__(self) -> str:
        return f"<{self.method} of {self.model}: {', '.join(self.artifacts)}; facts {self.facts}>"


class Result(AsyncResult):
    """The result of a succeeded job, as `Client` returns it. Artifacts are downloaded when they are first looked at."""

    def __init__(self, job: Mapping[str, Any], fetch: Fetch, run: Callable[[Any], Any]) -> None:
        super().__init__(job, fetch)
        self._run = run

    def content(self, name: str) -> bytes:
        """Return an artifact as the bytes of a file: PNG, WebP, npy, or a document's text.

        Raises:
            LookupError: the result has no such artifact.
            ProblemError, NetworkError: the artifact could not be downloaded.
        """
        self._described(name)
        if name not in self._contents:
            self._run(super().load(name))
        return self._contents[name]

    def load(self, *names: str) -> Result:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Download artifacts now, all of them if no names are given, and return the result itself."""
        self._run(super().load(*names))
        return self

    def save(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, folder: str | Path, names: Iterable[str] | None = None
    ) -> list[Path]:
        """Write artifacts, all of them if no names are given, and `job.json` to a folder, and return the paths.

        The folder is made if it is missing. Each file is written whole or not at all.
        """
        wanted = list(self.artifacts if names is None else names)
        self.load(*wanted)
        return write_result(Path(folder), self.job, {name: self._contents[name] for name in wanted})


def _decoded(artifact: Mapping[str, Any], content: bytes) -> Any:
    match artifact["kind"]:
        case "image" | "animation":
            from PIL import Image  # noqa: PLC0415 - an optional extra

            picture = Image.open(io.BytesIO(content))
            picture.load()
            return picture
        case "array":
            import numpy as np  # noqa: PLC0415 - an optional extra

            return np.load(io.BytesIO(content), allow_pickle=False)
        case _:
            return content.decode("utf-8")
