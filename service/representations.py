"""An artifact in the form the caller wants: images as PNG, WebP, JPEG; animations as WebP, GIF; arrays as npy, npz, JSON; documents
as they are.

Stored are PNG, an animation's WebP, npy and a document's text; the other forms are made from them, the same bytes each time.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, PngImagePlugin, WebPImagePlugin

from jobstore.records import ArtifactRecord
from schemas.errors import NotAcceptable
from schemas.jobs import InlineArray
from schemas.methods.card import ArtifactKind
from service.content_negotiation import preferred_media_type

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
_LONGEST_WEBP_SIDE = 16_383
_KINDS: Mapping[ArtifactKind, str] = {"image": "an image", "animation": "an animation", "array": "an array", "document": "a document"}


@dataclass(frozen=True)
class Form:
    """A representation. `native`: the stored bytes as they are."""

    name: str
    media_type: str
    native: bool = False


FORMS: Mapping[ArtifactKind, tuple[Form, ...]] = {
    "image": (Form("png", "image/png", native=True), Form("webp", "image/webp"), Form("jpeg", "image/jpeg")),
    "animation": (Form("webp", "image/webp", native=True), Form("gif", "image/gif")),
    "array": (Form("npy", "application/x-npy", native=True), Form("npz", "application/x-npz"), Form("json", "application/json")),
    "document": (
        Form("svg", "image/svg+xml", native=True),
        Form("dot", "text/vnd.graphviz", native=True),
        Form("json", "application/json", native=True),
    ),
}
# A document is shown by browsers: whatever it holds may load and run nothing.
DOCUMENT_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


def forms_of(artifact: ArtifactRecord) -> tuple[Form, ...]:
    """What it can be had as; a document as itself alone."""
    forms = FORMS[artifact.kind]
    return forms if artifact.kind != "document" else tuple(form for form in forms if form.media_type == artifact.media_type)


def choose(artifact: ArtifactRecord, accept: str | None, wanted: str | None) -> Form:
    """The form named `wanted` (from `?format=`) or else the one that `accept` likes best; `NotAcceptable` where there is none."""
    forms = forms_of(artifact)
    if wanted is None:
        media_type = preferred_media_type(accept, [form.media_type for form in forms])
        found = next((form for form in forms if form.media_type == media_type), None)
    else:
        found = next((form for form in forms if form.name == wanted.lower()), None)
    if found is None:
        allowed = ", ".join(f"{form.name} ({form.media_type})" for form in forms)
        raise NotAcceptable(
            f"This artifact is {_KINDS[artifact.kind]}: available as {allowed}; asked for {wanted or accept}.",
            allowed=allowed,
            got=wanted or accept,
        )
    return found


def etag(sha256: str, form: Form) -> str:
    """A strong one for each representation."""
    return f'"{sha256}"' if form.native else f'"{sha256}-{form.name}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has this very representation (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in re.findall(r'"[^"]*"', if_none_match)


def represent(content: bytes, name: str, form: Form) -> bytes:
    """The stored `content` (PNG, WebP or npy) of the artifact `name` in `form`."""
    match form.name:
        case "webp":
            return _webp(content)
        case "jpeg":
            return _jpeg(content)
        case "gif":
            return _gif(content)
        case "npz":
            return zipped([(f"{name}.npy", content)])
        case "json":
            return inline(content).model_dump_json().encode()
        case _:
            return content


def inline(npy: bytes) -> InlineArray:
    """An array for JSON: little-endian, C order."""
    array: NDArray[Any] = np.load(io.BytesIO(npy), allow_pickle=False)
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    return InlineArray(dtype=plain.dtype.name, shape=plain.shape, base64=base64.b64encode(plain.tobytes()).decode())


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip file, not compressed (PNG would not shrink, floats hardly), the same bytes for the same files. Of npy files: an npz."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def file_name(*parts: str) -> str:
    """A name that is safe in a header and in a zip file: letters, digits, dot, dash, underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", "_".join(parts)).lstrip(".") or "artifact"


def _opened(png: bytes) -> Image.Image:
    """By the plugin itself: `Image.open` refuses what has many pixels, and these are ours."""
    return PngImagePlugin.PngImageFile(io.BytesIO(png))


def _webp(png: bytes) -> bytes:
    with _opened(png) as image:
        if max(image.size) > _LONGEST_WEBP_SIDE:
            raise NotAcceptable(
                f"WebP holds at most {_LONGEST_WEBP_SIDE} pixels a side; this has {image.width} × {image.height}: png, jpeg.",
                allowed="png, jpeg",
                got="webp",
            )
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", lossless=True, quality=20, method=2)
    return buffer.getvalue()


def _jpeg(png: bytes) -> bytes:
    with _opened(png) as image:
        buffer = io.BytesIO()
        # Full chroma resolution: the edges of a heatmap are colour alone.
        image.convert("RGB").save(buffer, "JPEG", quality=92, subsampling="4:4:4")
    return buffer.getvalue()


def _gif(webp: bytes) -> bytes:
    """Each frame with the 256 colours that suit it, shown as long as in the WebP, to a hundredth of a second."""
    with WebPImagePlugin.WebPImageFile(io.BytesIO(webp)) as animation:
        frames: list[Image.Image] = []
        durations: list[int] = []
        for frame in ImageSequence.Iterator(animation):
            frames.append(frame.convert("RGB").quantize())
            durations.append(frame.info["duration"])
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, disposal=1)
    return buffer.getvalue()
