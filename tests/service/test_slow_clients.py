"""Clients that send half a request, send slowly, or do not read. None of them holds a connection for ever or keeps others waiting."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from jobstore.store import JobStore
from service import open_connections
from service.app import create_app
from service.dependencies import services_of
from service.open_connections import ConnectionLimits, connection_limits
from service.server import DrainingServer, server_config
from service.settings import ServiceSettings
from tests.service.test_errors import problem_of
from tests.wait import until

HEADER_SECONDS, BODY_SECONDS, ANSWER_SECONDS = 1.0, 1.5, 1.0
HALF_A_HEADER = b"POST /v1/jobs HTTP/1.1\r\nHost: service\r\nContent-Ty"
HALF_A_BODY = b"POST /v1/jobs HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    bounded = {"header_timeout": HEADER_SECONDS, "body_timeout": BODY_SECONDS, "answer_timeout": ANSWER_SECONDS, "linger_seconds": 0.2}
    return settings.model_copy(update=bounded)


@pytest.fixture
async def port(settings: ServiceSettings, store: JobStore) -> AsyncIterator[int]:
    """Yield the port of a service with the configuration of `serve`."""
    app = create_app(settings, store)
    _add_endless_answer(app)
    async with served_port(app, settings) as port:
        yield port


@asynccontextmanager
async def served_port(app: FastAPI, settings: ServiceSettings) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = DrainingServer(server_config(app, settings), services_of(app))
        serving = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await serving


def _add_endless_answer(app: FastAPI) -> None:
    async def endless() -> StreamingResponse:
        async def zeros() -> AsyncIterator[bytes]:
            while True:
                yield bytes(1 << 20)

        return StreamingResponse(zeros())

    app.add_api_route("/endless", endless, include_in_schema=False)


async def test_40_half_sent_requests_are_closed_and_others_are_answered(port: int) -> None:
    async with AsyncExitStack() as stack:
        readers: list[asyncio.StreamReader] = []
        for number in range(40):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write((b"", HALF_A_HEADER, HALF_A_BODY, HALF_A_BODY)[number % 4])
            readers.append(reader)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/livez")).status_code == 200
        async with asyncio.timeout(BODY_SECONDS + 10):
            answers = await asyncio.gather(*(reader.read() for reader in readers))
    assert [answer[:12] for answer in answers] == [b"", b"", b"HTTP/1.1 408", b"HTTP/1.1 408"] * 10


async def test_more_connections_than_allowed_close_those_that_wait_longest(settings: ServiceSettings, store: JobStore) -> None:
    """A request that is open stays open, and so does a new caller's, although 60 connections come that send nothing or half a header."""
    settings = settings.model_copy(update={"max_connections": 20, "header_timeout": 60.0, "body_timeout": 60.0})
    app = create_app(settings, store)
    async with (
        served_port(app, settings) as port,
        AsyncExitStack() as stack,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):

        async def opened(content: bytes) -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(content)
            return reader

        under_way = await opened(HALF_A_BODY)
        await until(services_of(app).open_requests.listed)
        answered = await opened(b"GET /livez HTTP/1.1\r\nHost: service\r\n\r\n")
        assert (await answered.readline()).startswith(b"HTTP/1.1 200")
        waiting = [await opened(HALF_A_HEADER if number % 2 else b"") for number in range(60)]
        assert (await client.get("/livez")).status_code == 200
        async with asyncio.timeout(10):
            await answered.read()  # its connection waited for a second request
            assert [await _read_until_closed(reader) for reader in waiting[:42]] == [b""] * 42
        assert (await client.get("/livez")).status_code == 200
        assert not any(reader.at_eof() for reader in (under_way, *waiting[42:]))


def test_a_process_may_open_files_for_all_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    infinite = open_connections.resource.RLIM_INFINITY
    for soft, most, accepted in ((1024, 384, 128), (8192, 7168, 256), (20_000, 10_000, 256), (300, 64, 37), (infinite, 10_000, 256)):
        monkeypatch.setattr(open_connections.resource, "getrlimit", lambda _, soft=soft: (soft, 20_000))
        assert connection_limits(None) == ConnectionLimits(most, accepted)
        assert connection_limits(7).most == 7


async def test_a_header_that_trickles_in_is_not_given_more_time(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.monotonic()
    reading = asyncio.create_task(_read_until_closed(reader))
    for byte in HALF_A_HEADER:
        if reading.done():
            break
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)
    assert await reading == b""
    assert time.monotonic() - started < HEADER_SECONDS + 3
    writer.close()


async def _read_until_closed(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:  # a byte was on its way when the connection was closed
        return b""


@pytest.mark.slow
async def test_the_second_request_of_a_connection_is_bounded_too(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: service\r\n\r\n" + HALF_A_HEADER)
    async with asyncio.timeout(15):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1
    writer.close()


async def test_a_slow_but_steady_body_is_answered(port: int, settings: ServiceSettings) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(6):  # 3 s at 64 KiB/s, twice as long as a body may be silent
            yield b" " * 32 * 1024
            await asyncio.sleep(0.5)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        answer = await client.post("/v1/jobs", content=body(), headers={"Content-Type": "application/json"})
    problem_of(answer, 400, "malformed_body")


async def test_a_client_that_does_not_read_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        client.send(b"GET /endless HTTP/1.1\r\nHost: service\r\n\r\n")

        def cut_off() -> bool:
            try:
                client.send(b"x")  # an aborted connection answers with a reset
            except BlockingIOError:
                return False
            except OSError:
                return True
            return False

        await until(cut_off, 20)
