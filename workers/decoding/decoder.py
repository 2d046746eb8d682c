"""Bytes → RGB (H, W, 3), in a child process bounded in time and memory."""

from __future__ import annotations

import contextlib
import io
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import UInt8

from schemas import errors
from schemas.errors import InternalError, InvalidImage, VisualizationError
from schemas.images import ImageLimits
from workers.decoding.child import LENGTHS, READY

CHILD = Path(__file__).with_name("child.py")
START_SECONDS = 30.0


class Decoder:
    """Decodes images in child processes that are kept between images and replaced when they die, hang or have grown old.

    Thread-safe: up to `children` images at once, more wait their turn. A child starts when it is first needed; `close`
    (or leaving the `with` block) ends them.

    Args:
        seconds: wall time one image may take.
        memory_bytes: address space of a child.
        images_per_child: after so many a child is replaced, so that whatever a codec leaks stays bounded.
    """

    def __init__(self, *, children: int = 1, seconds: float = 5.0, memory_bytes: int = 1 << 30, images_per_child: int = 1000) -> None:
        self._seconds = seconds
        self._children = [_Child(memory_bytes, images_per_child) for _ in range(children)]
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        for child in self._children:
            self._idle.put(child)

    def decode(self, content: bytes, limits: ImageLimits) -> UInt8[np.ndarray, "H W 3"]:
        """The image upright: EXIF orientation applied, first frame only, palette, grey, 16-bit, CMYK and alpha (over white) as 8-bit RGB.

        Raises:
            UnsupportedFormat: the content is none of `limits.formats`.
            ImageTooLarge: too many bytes, pixels, or too long a side; told from the header before any pixel is decoded.
            InvalidImage: damaged or cut short, or decoding took too long or ended its process twice.
            InternalError: no child process could be started.
        """
        if len(content) > limits.max_bytes:
            raise errors.ImageTooLarge(
                f"The image file has {len(content):,} bytes; allowed are {limits.max_bytes:,}.",
                allowed=f"at most {limits.max_bytes} bytes",
                got=str(len(content)),
            )
        child = self._idle.get()
        try:
            try:
                header, pixels = child.ask(content, limits, self._seconds)
            except _ChildDied:  # perhaps killed from outside, through no fault of the image
                header, pixels = child.ask(content, limits, self._seconds)
        except _ChildDied:
            raise InvalidImage("Decoding ended its process, twice; the image is refused.") from None
        except _ChildTimedOut:
            raise InvalidImage(f"Decoding took more than {self._seconds:g} s and was stopped.") from None
        finally:
            self._idle.put(child)
        return _image(header, pixels)

    def close(self) -> None:
        """Ends the children; waits for images being decoded."""
        for child in [self._idle.get() for _ in self._children]:
            child.end()
            self._idle.put(child)

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _ChildDied(Exception):
    pass


class _ChildTimedOut(Exception):
    pass


class _Child:
    """One decoding process, started when it is asked. Not thread-safe."""

    def __init__(self, memory_bytes: int, images_per_process: int) -> None:
        # -I: neither the working directory nor the environment decides what the child imports.
        self._command = [sys.executable, "-I", str(CHILD), str(memory_bytes)]
        self._images_per_process = images_per_process
        self._images = 0
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, content: bytes, limits: ImageLimits, seconds: float) -> tuple[dict[str, Any], bytearray]:
        """The answer's header and body; whatever goes wrong, the process is ended with it."""
        if self._images >= self._images_per_process:
            self.end()
        process = self._process or self._start()
        self._images += 1
        question = {"formats": limits.formats, "max_pixels": limits.max_pixels, "max_side": limits.max_side, "seconds": seconds}
        header = json.dumps(question).encode()
        try:
            with _deadline(process, seconds):
                _write(process.stdin, LENGTHS.pack(len(header), len(content)) + header)
                _write(process.stdin, content)
                header_length, body_length = LENGTHS.unpack(_read(process.stdout, LENGTHS.size))
                return json.loads(_read(process.stdout, header_length)), _read(process.stdout, body_length)
        except BaseException:
            self.end()
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        self._images = 0
        self._process = process = subprocess.Popen(  # noqa: S603 - no caller's words in the command
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        try:
            with _deadline(process, START_SECONDS):
                _read(process.stdout, len(READY))
        except (_ChildDied, _ChildTimedOut):
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


@contextlib.contextmanager
def _deadline(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """Kills the process after `seconds`, which ends every blocked read and write."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except _ChildDied:
        if late.is_set():
            raise _ChildTimedOut from None
        raise
    finally:
        timer.cancel()
        timer.join()
    if late.is_set():  # it answered at the last moment, and was killed all the same
        raise _ChildTimedOut


def _read(pipe: IO[bytes] | None, length: int) -> bytearray:
    content = bytearray(length)
    rest = memoryview(content)
    while rest:
        count = pipe.readinto(rest) if isinstance(pipe, io.FileIO) else 0
        if not count:
            raise _ChildDied
        rest = rest[count:]
    return content


def _write(pipe: IO[bytes] | None, content: bytes) -> None:
    if pipe is None:
        raise _ChildDied
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[pipe.write(rest) :]
    except OSError:
        raise _ChildDied from None


def _image(header: dict[str, Any], pixels: bytearray) -> UInt8[np.ndarray, "H W 3"]:
    if "error" in header:
        error: type[VisualizationError] = getattr(errors, header.pop("error"))
        raise error(**header)
    return np.frombuffer(pixels, np.uint8).reshape(header["height"], header["width"], 3)
