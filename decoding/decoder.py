"""Decode image files to RGB arrays in child processes, so that a bad file cannot harm the worker."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8, UInt16

from decoding import deadline_pipes
from decoding.deadline_pipes import PipeClosed, PipeTimedOut
from decoding.decoded_frames import DecodedFrames
from decoding.decoding_process import LENGTHS, READY
from schemas import errors
from schemas.errors import InternalError, InvalidImage, VisualizationError
from schemas.images import ImageLimits

_ROOT = Path(__file__).resolve().parents[1]
# -I keeps the working directory and the environment from deciding what the child imports.
_PROGRAM = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from decoding.decoding_process import main; main()"
_START_SECONDS = 30.0


class Decoder:
    """Decode images in child processes. A child serves many images and is replaced when it dies, hangs or has served enough.

    This class is thread-safe. A child starts when it is first needed. `close`, or the end of the `with` block, ends all children.

    Args:
        children: the number of images that can be decoded at once; further images wait.
        seconds: the wall time that one image may take.
        memory_bytes: the address space of a child.
        images_per_child: a child is replaced after so many images, so that a codec's memory leak stays small.
    """

    def __init__(self, *, children: int = 1, seconds: float = 5.0, memory_bytes: int = 1 << 30, images_per_child: int = 1000) -> None:
        self._seconds = seconds
        self._children = [_DecodingProcess(memory_bytes, images_per_child) for _ in range(children)]
        self._idle: queue.LifoQueue[_DecodingProcess] = queue.LifoQueue()
        for child in self._children:
            self._idle.put(child)

    def decode(self, content: bytes, limits: ImageLimits, width: int | None = None) -> UInt8[np.ndarray, "H W 3"]:
        """Return the first frame of an image file as 8-bit RGB, shape (H, W, 3), uint8.

        The EXIF orientation is applied. Palette, grey, 16-bit and CMYK images are converted, and transparent parts lie over white.

        Args:
            content: the image file.
            limits: the allowed formats, bytes, pixels and side length. The header is checked before any pixel is decoded.
            width: an upright image that is wider is made smaller to this width, in pixels. The aspect ratio stays.

        Raises:
            UnsupportedFormat: the file is in none of the allowed formats.
            ImageTooLarge: the file has too many bytes or pixels, or a side is too long.
            InvalidImage: the file is damaged or cut short, its decoding took too long, or it ended the child process twice.
            InternalError: no child process could be started.
        """
        header, pixels = self._ask(content, limits, {"width": width})
        return _images(header, pixels)[0]

    def decode_full_depth(self, content: bytes, limits: ImageLimits) -> UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W"]:
        """Return an image of 16-bit grey without transparent parts as its values, uint16 (H, W), and any other one as `decode` does."""
        header, pixels = self._ask(content, limits, {"full_depth": True})
        if header["bits"] == 16:
            return np.frombuffer(pixels, "<u2").astype(np.uint16).reshape(header["height"], header["width"])
        return _images(header, pixels)[0]

    def decode_frames(self, content: bytes, limits: ImageLimits, frames: int) -> DecodedFrames:
        """Return at most `frames` frames of an animated file (GIF, WebP, PNG or AVIF), evenly spaced over all of its frames.

        Each frame is what `decode` would return of it. Any other file has one frame. The frames together may have at most the pixels that
        one image may have, and all frames of the file ten times as many; both is checked before a frame is decoded. A frame without a
        duration is shown for 100 ms, as browsers do. The errors are those of `decode`.
        """
        header, pixels = self._ask(content, limits, {"frames": frames})
        return DecodedFrames(_images(header, pixels), tuple(header["numbers"]), tuple(header["milliseconds"]))

    def _ask(self, content: bytes, limits: ImageLimits, wanted: dict[str, int | None]) -> tuple[dict[str, Any], bytearray]:
        if len(content) > limits.max_bytes:
            raise errors.ImageTooLarge(
                f"The image file has {len(content):,} bytes. At most {limits.max_bytes:,} are allowed.",
                allowed=f"at most {limits.max_bytes} bytes",
                got=str(len(content)),
            )
        child = self._idle.get()
        try:
            try:
                header, pixels = child.ask(content, limits, self._seconds, wanted)
            except PipeClosed:  # something else may have killed it, so the image gets a second chance
                header, pixels = child.ask(content, limits, self._seconds, wanted)
        except PipeClosed:
            raise InvalidImage("Decoding this image ended the decoding process twice, so the image is refused.") from None
        except PipeTimedOut:
            raise InvalidImage(f"Decoding this image took more than {self._seconds:g} s and was stopped.") from None
        finally:
            self._idle.put(child)
        if "error" in header:
            error: type[VisualizationError] = getattr(errors, header.pop("error"))
            raise error(**header)
        return header, pixels

    def close(self) -> None:
        """Wait for the images that are being decoded, and end all children."""
        for child in [self._idle.get() for _ in self._children]:
            child.end()
            self._idle.put(child)

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _DecodingProcess:
    """One decoding process at a time. It starts when it is first asked. This class is not thread-safe."""

    def __init__(self, memory_bytes: int, images_per_process: int) -> None:
        self._command = [sys.executable, "-I", "-c", _PROGRAM, str(memory_bytes)]
        self._images_per_process = images_per_process
        self._images = 0
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, content: bytes, limits: ImageLimits, seconds: float, wanted: dict[str, int | None]) -> tuple[dict[str, Any], bytearray]:
        """Return the header and the body of the answer. End the process if anything goes wrong.

        Raises:
            PipeClosed: the process ended before it answered.
            PipeTimedOut: the process did not answer within `seconds`.
        """
        if self._images >= self._images_per_process:
            self.end()
        process = self._process or self._start()
        self._images += 1
        allowed = {"formats": limits.formats, "max_pixels": limits.max_pixels, "max_side": limits.max_side, "seconds": seconds}
        header = json.dumps({**allowed, **wanted}).encode()
        try:
            deadline = time.monotonic() + seconds
            deadline_pipes.write(process.stdin, LENGTHS.pack(len(header), len(content)) + header, deadline)
            deadline_pipes.write(process.stdin, content, deadline)
            header_length, body_length = LENGTHS.unpack(deadline_pipes.read(process.stdout, LENGTHS.size, deadline))
            answer = json.loads(deadline_pipes.read(process.stdout, header_length, deadline))
            return answer, deadline_pipes.read(process.stdout, body_length, deadline)
        except BaseException:
            self.end()
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        self._images = 0
        self._process = process = subprocess.Popen(  # noqa: S603 - the command holds nothing that a caller sent
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        try:
            deadline_pipes.prepare(process.stdin)
            deadline_pipes.prepare(process.stdout)
            deadline_pipes.read(process.stdout, len(READY), time.monotonic() + _START_SECONDS)
        except (PipeClosed, PipeTimedOut):
            self.end()
            raise InternalError(f"The decoding process could not be started (exit status {process.returncode}).") from None
        return process

    def end(self) -> None:
        if (process := self._process) is None:
            return
        self._process = None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _images(header: dict[str, Any], pixels: bytearray) -> UInt8[np.ndarray, "n H W 3"]:
    return np.frombuffer(pixels, np.uint8).reshape(-1, header["height"], header["width"], 3)
