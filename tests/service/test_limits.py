"""Limits on bytes, pixels and values, which are checked before any work is done."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO, cam

NAMES = {f"x{index}": 0 for index in range(200_000)}


@pytest.mark.parametrize("data", [{"class_index": [{}] * 1_000_000}, {"class_index": [0] * 20_001}, NAMES], ids=["bad", "good", "names"])
async def test_a_request_with_very_many_values_is_refused_unseen(
    client: httpx.AsyncClient, worker: FakeWorker, data: dict[str, Any]
) -> None:
    answer = await client.post("/v1/jobs", json=cam(params=data))
    problem_of(answer, 422, "limit_exceeded")
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16", "class_index": "1," * 20_001}, files={"image": PHOTO})
    assert problem_of(answer, 422, "limit_exceeded").pointer == "/class_index"


async def test_an_error_does_not_repeat_megabytes(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    long = "x" * 1_000_000
    for body in (
        cam(params={long: 1}),
        cam(params={"layer": long}),
        cam(params={"class_index": long}),
        cam(**{long: 1}),
        cam(model=long),
        cam(method=long),
        cam(priority=long),
        cam(image={long: 1}),
    ):
        answer = await client.post("/v1/jobs", json=body)
        assert answer.status_code == 422
        assert len(answer.content) < 10_000
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16", "alpha": long[:900_000]}, files={"image": PHOTO})
    assert len(answer.content) < 10_000


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def large_png(width: int, height: int) -> bytes:
    """Return a bilevel PNG file of a few kilobytes that holds all the pixels of its header."""
    rows = zlib.compress(bytes(width // 8 + 1) * height, 9)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("notes.png", b"these are only words", 415, "unsupported_format"),
        ("empty.png", b"", 422, "image_required"),
        ("header.png", png()[:20], 422, "invalid_image"),
        ("header.jpg", b"\xff\xd8\xff\xe0\x00\x10JF", 422, "invalid_image"),
        ("header.gif", b"GIF89a\x01", 422, "invalid_image"),
        ("header.webp", b"RIFF\x10\x00\x00\x00WEBPVP8 \x00\x00", 422, "invalid_image"),
        ("header.bmp", b"BM and some words", 422, "invalid_image"),
        ("nothing.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 7, 8, 2, 0, 0, 0)), 422, "invalid_image"),
        ("bomb.png", large_png(30_000, 30_000), 422, "image_too_large"),
        ("long.png", large_png(16_385, 8), 422, "image_too_large"),
        ("scan.tiff", b"II*\x00\x08\x00\x00\x00", 415, "unsupported_format"),
    ],
)
async def test_images_are_checked_by_their_header(
    client: httpx.AsyncClient, worker: FakeWorker, name: str, content: bytes, status: int, code: str
) -> None:
    upload = await client.post("/v1/images", files={"image": (name, content, "image/png")})
    one_line = await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": (name, content)})
    for answer in (upload, one_line):
        assert problem_of(answer, status, code).pointer == "/image"
    if content:
        answer = await client.post("/v1/jobs", json=cam(image={"base64": base64.b64encode(content).decode()}))
        assert problem_of(answer, status, code).pointer == "/image/base64"
    assert await worker.nothing_queued()


async def test_the_error_names_the_dimensions(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.post("/v1/images", files={"image": large_png(30_000, 30_000)}), 422, "image_too_large")
    assert problem.got == "30000 × 30000"
    assert problem.allowed == "at most 25000000 pixels, 16384 on a side"


async def test_bytes_are_limited(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    small = settings.model_copy(update={"max_body_bytes": 6000, "max_image_bytes": 4000, "max_base64_bytes": 2000})
    async with client_of(create_app(small, store)) as client:
        for content, status in ((png(30, 30), 201), (png(40, 40), 413)):
            answers = [
                await client.post("/v1/images", files={"image": content}),
                await client.post("/v1/images", content=content, headers={"Content-Type": "image/png"}),
            ]
            assert [answer.status_code for answer in answers] == [status, status]
        problem = problem_of(answers[0], 413, "body_too_large")
        assert (problem.allowed, problem.got) == ("at most 4000 bytes", f"{len(png(40, 40))} bytes")
        answer = await client.post("/v1/jobs", json=cam(image={"base64": base64.b64encode(png(30, 30)).decode()}))
        assert problem_of(answer, 413, "body_too_large").allowed == "at most 2000 bytes"
        declared = await client.post("/v1/jobs", content=b" " * 6001, headers={"Content-Type": "application/json"})
        assert problem_of(declared, 413, "body_too_large").got == "6001 bytes"


async def test_a_body_without_a_length_is_counted(settings: ServiceSettings, store: JobStore) -> None:
    read = 0

    async def endless(start: bytes) -> AsyncIterator[bytes]:
        nonlocal read
        yield start
        while True:
            read += 1000
            yield b"x" * 1000

    app = create_app(settings.model_copy(update={"max_body_bytes": 6000, "linger_bytes": 0}), store)
    async with client_of(app) as client:
        part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        for path, content_type, start in (
            ("/v1/jobs", "application/json", b"{"),
            ("/v1/jobs", "multipart/form-data; boundary=b", part),
            ("/v1/grad_cam", "multipart/form-data; boundary=b", part),
            ("/v1/images", "image/png", b""),
        ):
            read = 0
            answer = await client.post(path, content=endless(start), headers={"Content-Type": content_type})
            assert problem_of(answer, 413, "body_too_large").allowed == "at most 6000 bytes"
            assert read <= 8000
