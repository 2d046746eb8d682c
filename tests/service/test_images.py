"""Uploads with `POST /v1/images`."""

from __future__ import annotations

import hashlib

import httpx
import numpy as np
import pytest

from schemas.images import UploadedImage
from tests.service.fake_worker import encoded, png
from tests.service.test_errors import problem_of

PIXELS = np.random.default_rng(4).integers(0, 256, (31, 47, 3), dtype=np.uint8)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
async def test_every_format_is_recognised_by_its_content(client: httpx.AsyncClient, image_format: str) -> None:
    content = encoded(PIXELS, image_format)
    digest = hashlib.sha256(content).hexdigest()
    answers = [
        await client.post("/v1/images", files={"image": ("misleading.txt", content, "text/plain")}),
        await client.post("/v1/images", content=content, headers={"Content-Type": "image/x-whatever"}),
    ]
    for answer in answers:
        assert answer.status_code == 201, answer.text
        image = UploadedImage.model_validate_json(answer.content)
        assert (image.id, image.format, image.width, image.height, image.size) == (f"img_{digest}", image_format, 47, 31, len(content))
        assert answer.json()["expires_at"].endswith("Z")


async def test_a_truncated_jpeg_is_accepted_because_only_its_header_is_read(client: httpx.AsyncClient) -> None:
    content = encoded(PIXELS, "JPEG")
    answer = await client.post("/v1/images", files={"image": content[: len(content) // 2]})
    assert (answer.status_code, answer.json()["width"]) == (201, 47)


async def test_a_body_that_is_no_upload_is_refused(client: httpx.AsyncClient) -> None:
    problem_of(await client.post("/v1/images", content=b"x", headers={"Content-Type": "application/json"}), 415, "unsupported_format")
    problem_of(await client.post("/v1/images", content=b"", headers={"Content-Type": "image/png"}), 422, "image_required")
    problem_of(await client.post("/v1/images", files={"picture": png()}), 422, "invalid_parameters")
    problem_of(await client.post("/v1/images", files=[("image", png()), ("image", png())]), 422, "invalid_parameters")
