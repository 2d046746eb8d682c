"""Bytes that are not an HTTP request. They are answered with a problem, as every other error is, and the connection is closed."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from schemas.problem import Problem
from service.settings import ServiceSettings
from tests.service.test_slow_clients import served_port
from tests.service.test_unread_bodies import MIB

_CHUNKED = b"POST /v1/jobs HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

_START = b"GET /livez HTTP/1.1\r\nHost: service\r\nX-Long: "


@pytest.fixture
async def port(app: FastAPI, settings: ServiceSettings) -> AsyncIterator[int]:
    async with served_port(app, settings) as port:
        yield port


async def _answer_to(port: int, *parts: bytes) -> bytes:
    """Send the parts, each after the first when something was answered or a moment has passed, and return all that is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.1)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([b"\x16\x03\x01 this is TLS\r\n\r\n"], "illegal request line"),
        ([b"GET /livez HTTP/1.1\r\n\r\n"], "Missing mandatory Host: header"),
        ([_START + b"x" * 20_000], "Receive buffer too long"),
        ([b"GET /livez HTTP/1.1\r\nHost: service\r\nContent-Length: -1\r\n\r\n"], "bad Content-Length"),
        ([_CHUNKED, b"1\r\n{\r\n", b"no length\r\n"], "illegal chunk header"),
        ([b"GET /livez HTTP/1.1\r\nHost: service\r\n\r\n", b"and then this\r\n\r\n"], "illegal request line"),
    ],
)
async def test_they_are_answered_with_a_problem(port: int, sent: list[bytes], reason: str) -> None:
    with capture_logs() as logs:
        answer = await _answer_to(port, *sent)
    head, _, body = answer[answer.rindex(b"HTTP/1.1 400 Bad Request\r\n") :].partition(b"\r\n\r\n")
    headers = httpx.Headers([tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")[1:]])  # type: ignore[misc]
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    problem = Problem.model_validate(json.loads(body))
    assert (problem.status, problem.code, problem.type) == (400, "malformed_request", "/problems/malformed_request")
    assert problem.request_id == headers["x-request-id"]
    assert reason in problem.detail
    assert problem.request_id in [entry.get("request_id") for entry in logs if entry["event"] == "malformed_request"]


async def test_a_broken_body_whose_answer_has_begun_ends_the_connection(port: int, caplog: pytest.LogCaptureFixture) -> None:
    """The answer 415 is known before the body. What follows cannot be answered, and nothing fails because of it."""
    begun = _CHUNKED.replace(b"application/json", b"text/plain")
    with capture_logs() as logs:
        answer = await _answer_to(port, begun + b"1\r\nx\r\n", b"no length\r\n")
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert [entry for entry in logs if entry["log_level"] in ("error", "warning")] == []


def with_socket_header(port: int, size: int) -> tuple[int, bytes]:
    """Write a header of `size` bytes, and only then read."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(_START + b"x" * size + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


def with_http_client_header(port: int, size: int) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/livez", headers={"X-Long": "x" * size})
        answer = connection.getresponse()
        return answer.status, answer.read()


def with_curl_header(port: int, size: int) -> tuple[int, bytes]:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    with tempfile.NamedTemporaryFile("w") as header:
        header.write("X-Long: " + "x" * size)
        header.flush()
        command = ["curl", "-s", "-w", "\n%{http_code}", "-H", f"@{header.name}", f"http://127.0.0.1:{port}/livez"]
        run = subprocess.run(command, capture_output=True, timeout=60, check=True)
    body, _, status = run.stdout.rpartition(b"\n")
    return int(status), body


@pytest.mark.parametrize(
    ("client", "size"),
    [
        (with_socket_header, MIB),
        (with_socket_header, 20 * MIB),
        (with_http_client_header, 20 * MIB),
        (with_curl_header, 900_000),  # curl sends no request with a header of more than 1 MiB
    ],
)
async def test_a_client_that_sends_far_too_long_a_header_gets_the_answer(
    port: int, size: int, client: Callable[[int, int], tuple[int, bytes]]
) -> None:
    """The service has dropped the rest of the header when it closes the connection. Unread bytes would have reset it."""
    status, body = await asyncio.to_thread(client, port, size)
    assert status == 400
    assert json.loads(body)["code"] == "malformed_request"


async def test_a_client_that_does_not_close_after_the_answer_is_cut_off(app: FastAPI, settings: ServiceSettings) -> None:
    short = settings.model_copy(update={"answer_timeout": 0.3})
    async with served_port(app, short) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"no request\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        with pytest.raises(ConnectionError):
            await _write_for_ever(writer)


async def test_no_more_than_a_bound_is_dropped(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.bounded_protocol._MOST_DROPPED", MIB)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(ConnectionError):
        await _write_for_ever(writer)


async def test_connections_that_were_answered_give_way_to_new_ones(app: FastAPI, settings: ServiceSettings) -> None:
    """Clients that send what is no HTTP, and then keep the connection open, keep no caller out."""
    few = settings.model_copy(update={"max_connections": 5})
    async with served_port(app, few) as port, AsyncExitStack() as stack:
        for _ in range(12):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(b"no request\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert [(await client.get("/livez")).status_code for _ in range(3)] == [200] * 3


async def _write_for_ever(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(5):  # in this time, less is written than the service drops
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            await asyncio.sleep(0.01)
