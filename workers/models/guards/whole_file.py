"""Read a whole model file whose size is bounded."""

from __future__ import annotations

import os
from pathlib import Path

from schemas.errors import ModelLoadFailed
from workers.models.limits import ModelLimits


def read_whole_file(path: Path, limits: ModelLimits) -> bytes:
    """Return the content of a file. Its size is checked before anything is read.

    Raises:
        ModelLoadFailed: the file is missing, cannot be read, or has too many bytes.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limits.max_file_bytes:
                raise ModelLoadFailed(
                    f"'{path.name}' has {size} bytes; at most {limits.max_file_bytes} are allowed.",
                    allowed=str(limits.max_file_bytes),
                    got=str(size),
                )
            return file.read(size)
    except FileNotFoundError as error:
        raise ModelLoadFailed(f"The file '{path.name}' is not in the models folder.") from error
    except OSError as error:
        raise ModelLoadFailed(f"'{path.name}' cannot be read: {error.strerror}.") from error
