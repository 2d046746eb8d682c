"""The explorer page is served to browsers, and its files are complete, unchanging and loaded from nowhere else."""

from __future__ import annotations

import re

import httpx
import pytest

from service.explorer_files import explorer_page
from service.settings import ServiceSettings

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_a_browser_gets_the_page_and_a_program_json(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["vary"] == "Accept"
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.5"):
        answer = await client.get("/", headers={"Accept": accept})
        assert answer.json()["methods"] == "/v1/methods"
        assert answer.headers["vary"] == "Accept"


async def test_the_policy_allows_the_pages_own_files_alone(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/", headers=BROWSER)).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy


async def test_every_file_of_the_page_is_there_and_may_be_kept(client: httpx.AsyncClient) -> None:
    page = (await client.get("/", headers=BROWSER)).text
    assert "<style" not in page
    assert not re.search(r"<script[^>]*>[^<]", page)
    paths = re.findall(r'(?:src|href)="(/explorer/[^"]+)"', page)
    assert {path.rpartition(".")[2] for path in paths} == {"js", "css", "svg"}
    script = (await client.get(next(path for path in paths if path.endswith(".js")))).text
    pictures = re.findall(r'"\./([a-z]+-[A-Z0-9]{8}\.[a-z]+)"', script)
    assert {name.partition("-")[0] for name in pictures} == {"cat", "coffee", "rocket", "icon"}
    for path in {*paths, *(f"/explorer/{name}" for name in pictures)}:
        assert re.search(r"-[A-Z0-9]{8}\.", path)
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert answer.headers["content-type"].partition(";")[0] in ("text/javascript", "text/css", "image/svg+xml", "image/jpeg")


async def test_an_unknown_file_is_a_problem(client: httpx.AsyncClient) -> None:
    for name in ("none.js", "..%2Findex.html", "index.html"):
        answer = await client.get(f"/explorer/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_page_of_a_job_is_the_same_page(client: httpx.AsyncClient) -> None:
    page, job = await client.get("/", headers=BROWSER), await client.get("/jobs/01K00000000000000000000000", headers=BROWSER)
    assert job.text == page.text


def test_a_proxys_path_is_put_before_every_address() -> None:
    page = explorer_page('/see"me')
    assert page.count("/see&quot;me/") >= 4
    assert '<meta name="convscope-root" content="/see&quot;me">' in page
    assert "{root}" not in page


class TestWithKeys:
    @pytest.fixture
    def settings(self, settings: ServiceSettings) -> ServiceSettings:
        return settings.model_copy(update={"auth": "required"})

    async def test_the_page_opens_without_a_key_and_shows_nothing_owned(self, client: httpx.AsyncClient) -> None:
        page = await client.get("/", headers=BROWSER)
        assert page.status_code == 200
        assert (await client.get("/jobs/01K00000000000000000000000", headers=BROWSER)).status_code == 200
        for path in re.findall(r'(?:src|href)="(/explorer/[^"]+)"', page.text):
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/v1/models")).status_code == 401
