"""The transport of a run answers as the one of httpx does, keeps its connections, and reports what breaks in the errors of httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from convscope.cli.plain_transport import PlainTransport, plain_transport

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _served(serve: Serve) -> AsyncGenerator[httpx.AsyncClient]:
    """Yield a client of a server that handles each connection with `serve`, and then closes it."""

    handled: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()
        await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled.append(asyncio.ensure_future(handle(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, transport=PlainTransport(), timeout=httpx.Timeout(5, read=0.2)) as client:
            yield client
        await asyncio.gather(*handled)


async def _head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_a_kept_connection_carries_the_next_request() -> None:
    heads: list[list[bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append([])
        for body in (b"", b"abc", b"de"):
            heads[-1].append(await _head(reader))
            assert await reader.readexactly(len(body)) == body
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX-Got: %d\r\nContent-Length: 4\r\n\r\npa" % len(body))
            await writer.drain()
            writer.write(b"rt")

    async with _served(serve) as client:
        first = await client.get("/a?b=%2C")
        second, third = await client.post("/c", content=b"abc"), await client.post("/c", content=b"de")
    assert (first.content, first.status_code, first.headers["x-got"]) == (b"part", 200, "0")
    assert [second.headers["x-got"], third.headers["x-got"]] == ["3", "2"]
    assert [[head.split(b"\r\n")[0] for head in each] for each in heads] == [
        [b"GET /a?b=%2C HTTP/1.1", b"POST /c HTTP/1.1", b"POST /c HTTP/1.1"]
    ]


async def test_a_connection_that_was_closed_or_not_read_to_its_end_is_not_used_again() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await _head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")
        if connections > 1:
            await reader.read()

    async with _served(serve) as client:
        await client.get("/")
        await asyncio.sleep(0)  # the end of the first connection arrives
        async with client.stream("GET", "/") as answer:
            assert answer.status_code == 200
        assert (await client.get("/")).content == b"body"
    assert connections == 3


async def test_chunks_are_sent_and_received() -> None:
    sent = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.extend((await _head(reader)).lower() and await reader.readuntil(b"0\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"three"

    async with _served(serve) as client:
        assert (await client.post("/", content=parts())).content == b"abcde"
    assert bytes(sent) == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"


async def test_an_early_refusal_is_read_although_the_body_was_not_taken() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()
        while await reader.read(2**16):  # read and dropped, as the service does it
            pass

    async with _served(serve) as client:
        answer = await client.post("/", content=bytes(2**22))
    assert (answer.status_code, answer.content) == (413, b"no")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.ReadTimeout),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", httpx.ReadTimeout),
        (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
    ],
)
async def test_what_breaks_is_an_error_of_httpx(answer: bytes, error: type[Exception]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        writer.write(answer)
        await reader.read()

    async with _served(serve) as client:
        with pytest.raises(error):
            await client.get("/")


async def test_a_connection_that_ends_in_the_middle_is_an_error() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

    async with _served(serve) as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            await client.get("/")


async def test_a_service_that_is_not_there_cannot_be_connected_to() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with httpx.AsyncClient(transport=PlainTransport()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")


def test_tls_and_proxies_are_left_to_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert plain_transport("http://127.0.0.1:8000") is not None
    assert plain_transport("https://127.0.0.1:8000") is None
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:3128")
    assert plain_transport("http://127.0.0.1:8000") is None
