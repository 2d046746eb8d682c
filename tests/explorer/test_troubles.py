"""Whatever is missing, the page says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.explorer.browsing import Visit
from tests.explorer.conftest import visited
from tests.explorer.services import added_key, without_workers

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


@pytest.fixture
def locked(browser: Browser, tmp_path: Path, redis_url: str) -> Iterator[Visit]:
    """Yield a page on a service that asks for keys and has no workers."""
    with without_workers(tmp_path, redis_url, auth="required") as url:
        yield from visited(browser, url)


def test_a_missing_key_is_asked_for_and_kept_in_the_tab(locked: Visit, tmp_path: Path, redis_url: str) -> None:
    locked.expected = {401, 503}
    page = locked.open(first_heat=False)
    field = page.get_by_label("This service asks for an API key.")
    field.fill("cs_wrong")
    page.get_by_role("button", name="Use this key").click()
    expect(field).to_be_visible()
    expect(field).to_have_value("")
    field.fill(added_key(tmp_path, redis_url))
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator(".models .menu li").first).to_be_visible()
    expect(field).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 1
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    expect(page.locator(".models .menu li").first).to_be_visible()


def test_a_service_without_workers_says_how_to_start_one(locked: Visit, tmp_path: Path, redis_url: str) -> None:
    locked.expected = {401, 503}
    key = added_key(tmp_path, redis_url)
    locked.page.add_init_script(f"sessionStorage.setItem('convscope-key', '{key}')")
    page = locked.open(first_heat=False)
    expect(page.get_by_text("No worker is running, so jobs wait.")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("convscope worker").first).to_be_visible()


def test_a_service_that_is_gone_is_told_and_tried_again(visit: Visit) -> None:
    page = visit.open()
    page.route("**/v1/jobs", lambda route: route.abort())
    page.get_by_role("button", name="HiResCAM").click()
    alert = page.locator(".stage .fault")
    expect(alert).to_contain_text("The service does not answer.")
    expect(alert).to_contain_text("Check that the service runs")
    visit.complaints.clear()  # the browser writes the failed request to its console
    page.unroute("**/v1/jobs")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator("#stage-title")).to_contain_text("HiResCAM")
    expect(alert).to_have_count(0)
