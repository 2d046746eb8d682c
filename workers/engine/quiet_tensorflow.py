"""Importing this imports TensorFlow, and keeps two banners to itself that TensorFlow 2.21 prints whatever TF_CPP_MIN_LOG_LEVEL says.

First in the fork server, so that a worker's stderr holds log lines and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

BANNERS = (b"All log messages before absl::InitializeLog() is called", b"oneDNN custom operations are on")


@contextlib.contextmanager
def without_lines(noise: tuple[bytes, ...]) -> Iterator[None]:
    """Holds back what is written to file descriptor 2, by C++ too, and lets out the lines that have none of `noise` in them."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            for line in held:
                if not any(words in line for words in noise):
                    os.write(2, line)


with without_lines(BANNERS):
    import tensorflow  # noqa: F401
