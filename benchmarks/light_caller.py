"""Callers that cost little processor time, so that a measurement on the same machine shows the service and not them.

They speak HTTP/1.1 over a kept connection and read only the status and the length of an answer. Everything that convscope answers to
`POST /v1/{method}` has a length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_BOUNDARY = "benchmark-boundary"


@dataclass(frozen=True)
class Answered:
    """The answer to one call: its status, its number of bytes, and the seconds that it took."""

    status: int
    size: int
    seconds: float


def one_line_call(url: str, method: str, fields: dict[str, str], photo: bytes | None = None, accept: str = "image/png") -> bytes:
    """Return the bytes of a request `POST /v1/{method}` with form fields and a photo."""
    part = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name="
    parts = [f'{part}"{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    if photo is not None:
        parts += [f'{part}"image"; filename="photo"\r\n\r\n'.encode(), photo, b"\r\n"]
    body = b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])
    head = (
        f"POST /v1/{method} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAccept: {accept}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def call_all(url: str, requests: Sequence[bytes], callers: int) -> list[Answered]:
    """Send the requests, `callers` of them at the same time, and return the answers in the order in which they came."""
    source, answers = iter(requests), list[Answered]()
    await asyncio.gather(*(_caller(url, source, answers) for _ in range(callers)))
    return answers


async def _caller(url: str, source: Iterator[bytes], answers: list[Answered]) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**20)
    try:
        for request in source:
            began = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.split(b"\r\ncontent-length:", 1)[1].split(b"\r\n", 1)[0])
            await reader.readexactly(size)
            answers.append(Answered(int(head.split(b" ", 2)[1]), size, time.perf_counter() - began))
    finally:
        writer.close()
        await writer.wait_closed()
