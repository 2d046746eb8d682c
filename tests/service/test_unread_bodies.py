"""Clients that send all of a body before they read the answer, which they must get although the service does not want the body."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
import pytest
from uvicorn import Config

from jobstore.store import JobStore
from service.app import create_app
from service.dependencies import services_of
from service.server import DrainingServer
from service.settings import ServiceSettings
from tests.service.test_server import served
from tests.wait import until

MIB = 1024 * 1024
MULTIPART = "multipart/form-data; boundary=b"


class Refused(NamedTuple):
    """A request whose body is not read to its end, and the status and code that answer it."""

    method: str
    path: str
    content_type: str
    size: int
    status: int
    code: str

    @property
    def body(self) -> bytes:
        start = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n' if self.content_type == MULTIPART else b""
        return start.ljust(self.size, b"\0")


REFUSED = [
    Refused("POST", "/v1/grad_cam", MULTIPART, 40 * MIB, 413, "body_too_large"),
    Refused("POST", "/v1/jobs", "application/json", 40 * MIB, 413, "body_too_large"),
    Refused("POST", "/nothing", "application/json", MIB, 404, "not_found"),
    Refused("POST", "/v1/keys", "application/json", 31 * MIB, 403, "scope_missing"),
    Refused("PUT", "/v1/jobs", "application/json", MIB, 405, "method_not_allowed"),
    Refused("POST", "/v1/jobs", "text/plain", MIB, 415, "unsupported_format"),
    Refused("POST", "/v1/images", "application/json", 31 * MIB, 415, "unsupported_format"),
    Refused("PUT", "/v1/models/vgg16", "application/octet-stream", 40 * MIB, 403, "model_uploads_off"),
    Refused("GET", "/v1/jobs?limit=0", "application/json", MIB, 422, "invalid_parameters"),
]


def with_urllib(url: str, request: Refused) -> tuple[int, bytes]:
    call = urllib.request.Request(  # noqa: S310 - the test's own server
        url + request.path, request.body, {"Content-Type": request.content_type}, method=request.method
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(call, timeout=60)  # noqa: S310 - the test's own server
    with refusal.value as answer:
        return answer.code, answer.read()


def with_http_client(url: str, request: Refused) -> tuple[int, bytes]:
    with connected(url) as connection:
        connection.request(request.method, request.path, request.body, {"Content-Type": request.content_type})
        answer = connection.getresponse()
        return answer.status, answer.read()


def with_chunks(url: str, request: Refused) -> tuple[int, bytes]:
    with connected(url) as connection:
        body = request.body
        chunks = (body[start : start + MIB] for start in range(0, request.size, MIB))
        connection.request(request.method, request.path, chunks, {"Content-Type": request.content_type}, encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.read()


def with_socket(url: str, request: Refused) -> tuple[int, bytes]:
    """Write all, then read until the server closes the connection."""
    with socket.create_connection(address_of(url), timeout=60) as connection:
        connection.sendall(head(request))
        connection.sendall(request.body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


def with_curl(url: str, request: Refused) -> tuple[int, bytes]:
    command = ["curl", "-s", "-X", request.method, "-H", f"Content-Type: {request.content_type}", "--data-binary", "@-"]
    run = subprocess.run(
        [*command, "-w", "\n%{http_code}", url + request.path], input=request.body, capture_output=True, timeout=60, check=True
    )
    body, _, status = run.stdout.rpartition(b"\n")
    return int(status), body


CLIENTS = [with_urllib, with_http_client, with_chunks, with_socket, with_curl]


def head(request: Refused, *more: str) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", "Host: service", f"Content-Type: {request.content_type}", *more]
    return "\r\n".join([*lines, f"Content-Length: {request.size}", "\r\n"]).encode()


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def connected(url: str) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection(*address_of(url), timeout=60))


@asynccontextmanager
async def serving(settings: ServiceSettings, store: JobStore, **changed: float) -> AsyncIterator[str]:
    """Serve the application with some settings of the test. At the end, no request may be open for longer than a few seconds."""
    app = create_app(settings.model_copy(update=changed), store)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = DrainingServer(Config(app, log_config=None), services_of(app))
        running = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        await until(lambda: not server.server_state.tasks)
        server.should_exit = True
        await running


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_client_reads_the_refusal(url: str, client: Callable[[str, Refused], tuple[int, bytes]]) -> None:
    if client is with_curl and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    for request in REFUSED:
        status, body = await asyncio.to_thread(client, url, request)
        assert (status, json.loads(body)["code"]) == (request.status, request.code), request


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_client_reads_that_redis_is_down(
    settings: ServiceSettings, client: Callable[[str, Refused], tuple[int, bytes]]
) -> None:
    store = JobStore.connect("redis://127.0.0.1:1/0", settings)
    request = Refused("GET", "/v1/jobs", "application/json", MIB, 503, "broker_unavailable")
    async with serving(settings, store) as url:
        status, body = await asyncio.to_thread(client, url, request)
    assert (status, json.loads(body)["code"]) == (503, "broker_unavailable")
    await store.close()


def two_answers(url: str, size: int) -> tuple[bool, list[int]]:
    """Send a body to an address that does not exist, then ask for `/livez`. Return whether the first connection was still open."""
    with connected(url) as connection:
        connection.request("POST", "/nothing", bytes(size))
        first = connection.getresponse()
        first.read()
        kept = connection.sock is not None
        connection.request("GET", "/livez")
        return kept, [first.status, connection.getresponse().status]


@pytest.mark.parametrize(("size", "kept"), [(0, True), (1, True), (64 * 1024, True), (64 * 1024 + 1, False), (MIB, False)])
async def test_a_connection_is_kept_after_a_short_body(url: str, size: int, kept: bool) -> None:
    assert await asyncio.to_thread(two_answers, url, size) == (kept, [404, 200])


async def test_a_caller_who_waits_to_be_told_need_not_send(url: str) -> None:
    """`curl` sends `Expect: 100-continue` before a large body, so that a refusal saves it the sending."""

    def refused() -> bytes:
        with socket.create_connection(address_of(url), timeout=60) as connection:
            connection.sendall(head(REFUSED[1], "Expect: 100-continue"))
            return b"".join(iter(lambda: connection.recv(65536), b""))

    answer = await asyncio.to_thread(refused)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def sent_in_vain(url: str, request: Refused, pause: float) -> int:
    """Send a body in pieces, as if nobody had answered. Return the bytes that were sent before the connection was reset."""
    sent, piece = 0, bytes(1024 if pause else MIB)
    stop = threading.Event()
    with socket.create_connection(address_of(url), timeout=60) as connection, suppress(ConnectionError):
        connection.sendall(head(request))
        while sent < request.size and not stop.wait(pause):
            connection.sendall(piece)
            sent += len(piece)
    return sent


async def test_no_more_is_read_than_the_limit_in_bytes(settings: ServiceSettings, store: JobStore) -> None:
    endless = Refused("POST", "/nothing", "application/json", 1024 * MIB, 404, "not_found")
    async with serving(settings, store, linger_bytes=4 * MIB) as url:
        sent = await asyncio.to_thread(sent_in_vain, url, endless, 0)
    assert 4 * MIB <= sent < 64 * MIB  # the buffers of the two sockets hold some


async def test_a_caller_who_sends_slowly_for_ever_is_left(settings: ServiceSettings, store: JobStore) -> None:
    endless = Refused("POST", "/nothing", "application/json", 1024 * MIB, 404, "not_found")
    async with serving(settings, store, linger_seconds=0.5) as url:
        sent = await asyncio.to_thread(sent_in_vain, url, endless, 0.01)
    assert 0 < sent < MIB


@pytest.mark.slow
async def test_a_caller_who_sends_nothing_more_is_left(settings: ServiceSettings, store: JobStore) -> None:
    def answers(url: str, size: int) -> bytes:
        with socket.create_connection(address_of(url), timeout=60) as connection:
            connection.sendall(head(REFUSED[2]._replace(size=size)) + b"{")
            return b"".join(iter(lambda: connection.recv(65536), b""))

    async with serving(settings, store, linger_seconds=3600) as url:
        for size in (100, MIB):
            assert (await asyncio.to_thread(answers, url, size)).startswith(b"HTTP/1.1 404 ")


async def test_a_caller_who_leaves_is_forgotten(settings: ServiceSettings, store: JobStore) -> None:
    def leave(url: str) -> None:
        with socket.create_connection(address_of(url), timeout=60) as connection:
            connection.sendall(head(REFUSED[2]) + bytes(1000))

    async with serving(settings, store, linger_seconds=3600) as url:
        await asyncio.to_thread(leave, url)


@pytest.mark.slow
async def test_the_sender_of_a_body_far_beyond_the_limit_reads_the_refusal(url: str) -> None:
    request = REFUSED[1]._replace(size=200 * MIB)
    status, body = await asyncio.to_thread(with_http_client, url, request)
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")


@pytest.mark.slow
async def test_dropped_bodies_take_no_memory(settings: ServiceSettings) -> None:
    async with served(settings) as (process, url):
        await asyncio.to_thread(with_http_client, url, REFUSED[2])
        before = psutil.Process(process.pid).memory_info().rss
        for request in (REFUSED[0], REFUSED[2]._replace(size=31 * MIB)):
            calls = (asyncio.to_thread(with_http_client, url, request) for _ in range(8))
            assert {status for status, _ in await asyncio.gather(*calls)} == {request.status}
        assert psutil.Process(process.pid).memory_info().rss - before < 30 * MIB
