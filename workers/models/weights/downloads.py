"""Bound the downloads of `keras.applications`, log their progress, and let one process of the machine download at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.errors import ModelLoadFailed, ModelLoadInterrupted
from telemetry.logs import get_logger
from workers.models.limits import ModelLimits

SILENCE_SECONDS = 30.0
PROGRESS_SECONDS = 5.0  # between two lines of the log


class BoundedResponse:
    """A response of `urlopen` whose body may have `max_download_bytes` bytes and take `download_timeout` seconds.

    Everything but `read` is that of the response.
    """

    def __init__(self, response: Any, url: str, limits: ModelLimits) -> None:
        self._response, self._limits = response, limits
        self._file = url.rsplit("/", 1)[-1]
        self._bytes = 0
        self._started = self._logged = time.monotonic()
        length = response.headers.get("Content-Length", "")
        self._total = int(length) if length.isdigit() else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def read(self, amount: int = -1) -> bytes:
        """Return the next bytes, at most `amount`. A slow server gives fewer, so that the time is looked at again.

        Raises:
            ModelLoadFailed: the file is too large.
            ModelLoadInterrupted: the download takes too long.
        """
        self._check_size(self._total or 0)
        block: bytes = getattr(self._response, "read1", self._response.read)(amount)
        self._bytes += len(block)
        self._check_size(self._bytes)
        now = time.monotonic()
        if now - self._started > self._limits.download_timeout:
            raise ModelLoadInterrupted(
                f"The download of '{self._file}' was stopped after {self._limits.download_timeout:g} s, which is the longest time allowed "
                f"(CONVSCOPE_DOWNLOAD_TIMEOUT). {self._bytes} bytes had come."
            )
        if now - self._logged >= PROGRESS_SECONDS or (self._bytes and not block):
            self._logged = now
            seconds = round(now - self._started, 1)
            get_logger(__name__).info("downloading weights", file=self._file, bytes=self._bytes, total=self._total, seconds=seconds)
        return block

    def _check_size(self, size: int) -> None:
        if size > self._limits.max_download_bytes:
            raise ModelLoadFailed(
                f"The download of '{self._file}' has at least {size} bytes; at most {self._limits.max_download_bytes} are allowed "
                "(CONVSCOPE_MAX_DOWNLOAD_BYTES).",
                allowed=str(self._limits.max_download_bytes),
                got=str(size),
            )


class _BoundedOpener(urllib.request.OpenerDirector):
    """Bounds every response, and adds a timeout. Without one urllib waits for ever, and `keras.utils.get_file` gives none."""

    def __init__(self, limits: ModelLimits) -> None:
        super().__init__()
        self._limits = limits

    def open(self, fullurl: Any, data: Any = None, timeout: Any = None) -> Any:
        response = super().open(fullurl, data, timeout if isinstance(timeout, (int, float)) else SILENCE_SECONDS)
        return BoundedResponse(response, fullurl if isinstance(fullurl, str) else fullurl.full_url, self._limits)


def bound_downloads(limits: ModelLimits) -> None:
    """Let every later `urlopen` of this process keep to the limits, and fail after `SILENCE_SECONDS` without a byte."""
    opener = _BoundedOpener(limits)
    default_opener: Any = urllib.request.build_opener()
    for handler in default_opener.handlers:
        opener.add_handler(handler)
    urllib.request.install_opener(opener)


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Hold the lock `name`, which all processes of this user and machine share.

    Keras writes a download directly to its final place, where a second worker would read an unfinished file.
    """
    path = Path(tempfile.gettempdir()) / f"convscope-{os.getuid()}-{name}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
