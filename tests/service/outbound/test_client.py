"""The client on a real TLS server: certificates, redirects, limits, and nothing of the environment."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from schemas.errors import BodyTooLarge
from schemas.url_errors import UrlRefused, UrlUnavailable
from service.outbound.client import OutboundClient
from tests.service.outbound.tls_server import TlsServer, ok, redirect, tls_server


@pytest.fixture
async def server() -> AsyncIterator[TlsServer]:
    async with tls_server() as server:
        yield server


async def got(client: OutboundClient, url: str, *, seconds: float = 10, max_bytes: int = 1000) -> bytes:
    return await client.get(url, seconds=seconds, max_bytes=max_bytes, accept="image/*", pointer="/image/url")


async def test_the_content_comes_and_the_request_says_no_more_than_it_must(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.answers = {"/a.png?size=1": ok(b"photo", "Set-Cookie: a=b"), "/b": ok(b"second")}
    client = server.client()
    assert await got(client, server.url("/a.png?size=1")) == b"photo"
    assert await got(client, server.url("/b")) == b"second"
    for request in server.requests:
        names = {line.split(b":")[0].lower() for line in request.split(b"\r\n")[1:] if line}
        assert names == {b"host", b"user-agent", b"connection", b"accept", b"accept-encoding"}
        assert f"Host: photos.example:{server.port}".encode() in request


async def test_the_certificate_must_name_the_host_and_come_from_an_authority(server: TlsServer) -> None:
    server.answers, server.hosts = {"/": ok(b"x")}, {"other.example": ["127.0.0.1"], "photos.example": ["127.0.0.1"]}
    for client, host in ((server.client(), "other.example"), (server.client(trusted=False), "photos.example")):
        with pytest.raises(UrlUnavailable, match="its certificate is not valid"):
            await got(client, server.url("/", host))
    assert server.requests == []


async def test_redirects_are_followed_and_each_is_checked(server: TlsServer) -> None:
    server.answers = {"/photo": ok(b"photo"), "/1": redirect("/2", 301), "/2": redirect(server.url("/photo"), 308)}
    assert await got(server.client(), server.url("/1")) == b"photo"
    server.hosts["inside.example"] = ["10.0.0.1"]
    for target in (
        "https://10.0.0.1/",
        "https://inside.example/",
        "http://photos.example/",
        "https://[::1]/",
        "https://a:b@photos.example/",
    ):
        server.answers["/1"] = redirect(target)
        with pytest.raises(UrlRefused) as refused:
            await got(server.client(), server.url("/1"))
        assert refused.value.pointer == "/image/url"


async def test_a_host_that_becomes_private_during_redirects_is_refused(server: TlsServer) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def rebinding(_: str) -> list[str]:
        return next(answers)

    server.answers = {"/1": redirect("/2"), "/2": ok(b"never")}
    server.resolve = rebinding  # type: ignore[method-assign]
    with pytest.raises(UrlRefused, match="not public"):
        await got(server.client(), server.url("/1"))
    assert len(server.requests) == 1


async def test_redirects_are_bounded(server: TlsServer) -> None:
    server.answers = {f"/{number}": redirect(f"/{number + 1}") for number in range(4)}
    with pytest.raises(UrlRefused, match="more than 3 times"):
        await got(server.client(), server.url("/0"))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 302 Moved\r\nContent-Length: 0\r\n\r\n", "status 302"),
        (ok(b"x", "Content-Encoding: gzip"), "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "failed"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", "does not speak HTTP"),
    ],
)
async def test_what_is_no_proper_answer_is_said(server: TlsServer, answer: bytes, words: str) -> None:
    server.answers = {"/": answer}
    with pytest.raises(UrlUnavailable, match=words):
        await got(server.client(), server.url("/"))


async def test_bytes_and_time_are_bounded(server: TlsServer) -> None:
    server.answers = {
        "/declared": ok(b"a" * 1001),
        "/endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 1001 + b"...",
        "/slow": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na...",
        "/silent": b"...",
    }
    for path in ("/declared", "/endless"):
        with pytest.raises(BodyTooLarge, match="more than 1,000 bytes"):
            await got(server.client(), server.url(path))
    for path in ("/slow", "/silent"):
        with pytest.raises(UrlUnavailable, match=r"within 0\.3 s"):
            await got(server.client(), server.url(path), seconds=0.3)


async def test_a_client_of_its_own_rules_reaches_no_loopback(server: TlsServer) -> None:
    for url in (f"https://127.0.0.1:{server.port}/", "https://127.0.0.1/", "https://localhost/"):
        with pytest.raises(UrlRefused):
            await got(OutboundClient(), url)


async def test_nothing_listens(server: TlsServer) -> None:
    port = server.port
    async with tls_server() as other:
        other.hosts = {"photos.example": ["127.0.0.1"]}
    server.port = other.port
    with pytest.raises(UrlUnavailable, match="no connection could be made"):
        await got(server.client(), server.url("/"))
    server.port = port
