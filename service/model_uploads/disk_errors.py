"""Say what an operator can mend about a models folder or a disk that cannot be written to."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager

from schemas.errors import StorageFull
from schemas.model_upload_errors import ModelUploadsOff

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_errors_told() -> Generator[None]:
    """Turn an error of the operating system inside the block into one that callers may see. Other errors stay as they are.

    Raises:
        ModelUploadsOff: the service may not write there.
        StorageFull: there is no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_WRITABLE:
            raise ModelUploadsOff(
                "The service cannot write to the models folder, so it takes and deletes no models. The operator has to make the folder "
                "'uploads' in it writable."
            ) from error
        if error.errno in _NO_ROOM:
            raise StorageFull("The disk of the models folder is full, so the model cannot be kept.") from error
        raise
