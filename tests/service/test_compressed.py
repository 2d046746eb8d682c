"""Long texts that never change are sent with gzip to those who accept it, and everything else as it is."""

from __future__ import annotations

import gzip
import re

import httpx
import pytest

from service.compressed import accepts_gzip
from tests.service.fake_worker import FakeWorker


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("br;q=1.0, GZIP;q=0.2", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("br, deflate", False),
    ],
)
def test_gzip_is_accepted_by_its_name_or_by_a_star(header: str, *, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


async def test_the_methods_the_document_and_the_pages_script_are_compressed(client: httpx.AsyncClient) -> None:
    page = (await client.get("/", headers={"Accept": "text/html"})).text
    script, style = (re.findall(rf'(?:src|href)="(/explorer/[^"]+\.{kind})"', page)[0] for kind in ("js", "css"))
    for path in ("/v1/methods", "/openapi.json", script, style):
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        small = await client.get(path, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert small.headers["content-encoding"] == "gzip"
        assert (plain.headers["vary"], small.headers["vary"]) == ("Accept-Encoding", "Accept-Encoding")
        assert plain.content == small.content  # the client has unpacked it
        assert int(small.headers["content-length"]) == len(gzip.compress(plain.content, mtime=0)) < 0.4 * len(plain.content)


async def test_pictures_and_answers_about_jobs_are_sent_as_they_are(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    page = (await client.get("/", headers={"Accept": "text/html"})).text
    icon = re.findall(r'href="(/explorer/[^"]+\.svg)"', page)[0]
    script = await client.get(re.findall(r'src="(/explorer/[^"]+\.js)"', page)[0])
    photo = re.findall(r'"\./(cat-[A-Z0-9]{8}\.jpg)"', script.text)[0]
    for path in (icon, f"/explorer/{photo}", "/v1/models", "/v1/jobs", "/v1/methods/grad_cam"):
        answer = await client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers, path
