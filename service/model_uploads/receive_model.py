"""Write the body of an upload to a file while it arrives, and tell the format by its first bytes."""

from __future__ import annotations

import anyio.to_thread
from fastapi import Request

from schemas.errors import BodyTooLarge, MalformedBody, UnsupportedFormat
from service.media_type import media_type_of, unsupported_media_type
from service.model_uploads.arrival import Arrival
from service.model_uploads.upload_folder import quota_of_bytes
from service.settings import ServiceSettings

MEDIA_TYPES = ("application/octet-stream", "application/zip", "application/x-hdf5")
_ANY = ("", "application/x-www-form-urlencoded")  # curl sends none with -T, and the second with --data-binary
_SUFFIXES = {b"PK\x03\x04": ".keras", b"\x89HDF\r\n\x1a\n": ".h5"}
_LONGEST = max(map(len, _SUFFIXES))
_PIECE = 1024**2  # bytes that are written at once


def check_media_type(request: Request) -> None:
    """Raise `UnsupportedFormat` if the request says that its body is something else than a file."""
    media_type = media_type_of(request)
    if media_type not in (*MEDIA_TYPES, *_ANY):
        raise unsupported_media_type(media_type, *MEDIA_TYPES)


async def receive_model(request: Request, arrival: Arrival, settings: ServiceSettings) -> str:
    """Write the body to `arrival`, and return the suffix of its format: `.keras` or `.h5`. At most about a megabyte is in memory.

    Raises:
        BodyTooLarge: the body has more than `max_model_file_bytes`.
        ModelQuota: with it, all uploaded models together would have too many bytes.
        UnsupportedFormat: the body begins neither like a `.keras` file nor like an `.h5` file.
        MalformedBody: the body is empty.
        StorageFull: the disk is full.
    """
    most = settings.max_model_file_bytes
    held, size, suffix = bytearray(), 0, None
    async for chunk in request.stream():
        held += chunk
        size += len(chunk)
        if size > most:
            raise BodyTooLarge(f"A model file has at most {most:,} bytes; got more.", allowed=f"at most {most} bytes")
        if size > arrival.room:
            raise quota_of_bytes(settings.max_uploaded_model_bytes)
        if suffix is None and len(held) >= _LONGEST:
            suffix = _suffix_of(held)
        if len(held) >= _PIECE:
            await anyio.to_thread.run_sync(arrival.write, bytes(held))
            held.clear()
    if not size:
        raise MalformedBody("The body of an upload is the model file; got an empty body.")
    suffix = suffix or _suffix_of(held)
    await anyio.to_thread.run_sync(arrival.write, bytes(held))
    await anyio.to_thread.run_sync(arrival.end)
    return suffix


def _suffix_of(start: bytes | bytearray) -> str:
    for signature, suffix in _SUFFIXES.items():
        if start.startswith(signature):
            return suffix
    raise UnsupportedFormat(
        "The file is neither a .keras file (a zip archive) nor an .h5 file (HDF5).", allowed="a .keras file, an .h5 file"
    )
