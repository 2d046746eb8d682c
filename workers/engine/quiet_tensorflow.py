"""Imports TensorFlow and holds back two banners that TensorFlow 2.21 prints whatever TF_CPP_MIN_LOG_LEVEL is.

The fork server of the workers imports this module first, so that a worker's stderr holds nothing but log lines.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

BANNERS = (b"All log messages before absl::InitializeLog() is called", b"oneDNN custom operations are on")


@contextlib.contextmanager
def without_lines(phrases: tuple[bytes, ...]) -> Iterator[None]:
    """Drop the lines that hold one of `phrases` from what is written to file descriptor 2 meanwhile, also by C++ code.

    The other lines are written when the context ends.
    """
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
                if not any(phrase in line for phrase in phrases):
                    os.write(2, line)


with without_lines(BANNERS):
    import tensorflow  # noqa: F401
