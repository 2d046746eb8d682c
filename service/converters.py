"""Convert an artifact from its stored representation to another one. Equal stored bytes give equal converted bytes."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, PngImagePlugin, WebPImagePlugin

from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription, ArtifactKind, Representation
from schemas.errors import NotAcceptable
from schemas.jobs import InlineArray

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
LONGEST_WEBP_SIDE = 16_383  # pixels


def represent(content: bytes, artifact: ArtifactDescription, representation: Representation) -> bytes:
    """Return the artifact, whose stored bytes are `content`, in one of its representations.

    Raises:
        NotAcceptable: The image is too large for this representation.
    """
    if representation.native:
        return content
    return CONVERTERS[artifact.kind, representation.name](content, artifact.name)


def inline(npy: bytes) -> InlineArray:
    """Return the array of an `.npy` file as it stands in JSON: little-endian, C order."""
    array: NDArray[Any] = np.load(io.BytesIO(npy), allow_pickle=False)
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    return InlineArray(dtype=plain.dtype.name, shape=plain.shape, base64=base64.b64encode(plain.tobytes()).decode())


def job_with_arrays(job: JobRecord, contents: Mapping[str, bytes]) -> bytes:
    """Return the job as JSON with arrays inside its artifacts; `contents` holds their `.npy` files by artifact name.

    It is made a value at a time. pydantic makes all of it in one call, in which no other thread can run, the event loop's neither.
    """
    arrays = {name: inline(content) for name, content in contents.items()}
    return b"".join(text.encode() for text in _JSON.iterencode(job.with_arrays(arrays).model_dump(mode="json")))


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip file of the given names and contents. A zip file of `.npy` files is an `.npz` file.

    It is not compressed, because PNG files do not shrink and floats hardly do. It holds no time, so equal files give equal bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def _png_to_webp(png: bytes) -> bytes:
    with _opened(png) as image:
        if max(image.size) > LONGEST_WEBP_SIDE:
            raise NotAcceptable(
                f"A WebP image has at most {LONGEST_WEBP_SIDE} pixels a side, and this image has {image.width} × {image.height} pixels. "
                "It is available as png or jpeg.",
                allowed="png, jpeg",
                got="webp",
            )
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", lossless=True, quality=20, method=2)
    return buffer.getvalue()


def _png_to_jpeg(png: bytes) -> bytes:
    with _opened(png) as image:
        buffer = io.BytesIO()
        # The edges in a heatmap differ in colour alone, so the colour channels keep their full resolution.
        image.convert("RGB").save(buffer, "JPEG", quality=92, subsampling="4:4:4")
    return buffer.getvalue()


def _webp_to_gif(webp: bytes) -> bytes:
    """Give each frame the 256 colours that suit it best, and keep its duration, rounded to hundredths of a second."""
    with WebPImagePlugin.WebPImageFile(io.BytesIO(webp)) as animation:
        frames: list[Image.Image] = []
        durations: list[int] = []
        for frame in ImageSequence.Iterator(animation):
            frames.append(frame.convert("RGB").quantize())
            durations.append(frame.info["duration"])
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, disposal=1)
    return buffer.getvalue()


def _opened(png: bytes) -> Image.Image:
    """Open a PNG with Pillow's plugin: `Image.open` refuses an image of very many pixels, and a worker of ours made this one."""
    return PngImagePlugin.PngImageFile(io.BytesIO(png))


CONVERTERS: Mapping[tuple[ArtifactKind, str], Callable[[bytes, str], bytes]] = {
    ("image", "webp"): lambda content, _: _png_to_webp(content),
    ("image", "jpeg"): lambda content, _: _png_to_jpeg(content),
    ("animation", "gif"): lambda content, _: _webp_to_gif(content),
    ("array", "npz"): lambda content, name: zipped([(f"{name}.npy", content)]),
    ("array", "json"): lambda content, _: inline(content).model_dump_json().encode(),
}
"""For each kind and each representation that is not stored, the function of the stored bytes and the artifact's name."""
