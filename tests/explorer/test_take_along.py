"""The calls that the page shows do what the page did, and a link restores what it showed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.explorer.browsing import Visit
from tests.explorer.services import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_the_calls_run_as_they_are(visit: Visit, tmp_path: Path) -> None:
    shutil.copy(ROOT / "samples" / "cat.jpg", tmp_path)
    page = visit.open()
    page.get_by_label("layer", exact=True).fill("block4_add")
    page.get_by_label("layer", exact=True).blur()
    page.locator(".bars button").nth(1).click()
    expect(page.get_by_text("The map of 28 × 28 cells came in")).to_be_visible()
    call = page.locator(".take pre code").first
    subprocess.run(call.inner_text(), shell=True, cwd=tmp_path, check=True, timeout=90, capture_output=True)  # noqa: S602
    with Image.open(tmp_path / "grad_cam.png") as picture:
        assert picture.size == (601, 382)
        by_curl = picture.convert("RGB").tobytes()
    (tmp_path / "grad_cam.png").unlink()
    page.get_by_role("button", name="Python", exact=True).click()
    ended = subprocess.run([sys.executable, "-c", call.inner_text()], cwd=tmp_path, check=True, timeout=90, capture_output=True, text=True)
    assert "succeeded" in ended.stdout
    assert "tiger cat" in ended.stdout
    with Image.open(tmp_path / "grad_cam.png") as picture:
        assert picture.convert("RGB").tobytes() == by_curl
    page.get_by_role("button", name="JavaScript", exact=True).click()
    script = f"async (file) => {{ const photo = await (await fetch(file)).blob(); {call.inner_text()}; return job; }}"
    sample = page.locator(".samples img").first.get_attribute("src")
    job = page.evaluate(script, sample)
    assert (job["state"], job["facts"]["label"], job["params"]["layer"]) == ("succeeded", "tiger cat", "block4_add")


def test_the_link_restores_what_was_seen(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="A rocket before its start").click()
    page.get_by_role("button", name="LayerCAM").click()
    expect(page.locator("#stage-title")).to_contain_text("LayerCAM")
    page.locator(".bars button").nth(2).click()
    page.get_by_role("combobox", name="Colours").select_option("magma")
    page.get_by_label("Opacity").fill("40")
    page.get_by_label("Threshold").fill("30")
    label = page.locator(".bars .label").nth(2).inner_text()
    expect(page.locator("#stage-title")).to_contain_text(label)
    link = page.locator(".permalink").get_attribute("href")
    page.get_by_role("button", name="Copy the link").click()
    assert page.evaluate("navigator.clipboard.readText()") == link
    other = Visit(page.context.new_page(), visit.url)
    again = other.open(str(link).removeprefix(visit.url))
    expect(again.locator("#stage-title")).to_contain_text("LayerCAM")
    expect(again.locator("#stage-title")).to_contain_text(label)
    assert (other.pixels(again.locator(".stage-canvas")) == visit.pixels(page.locator(".stage-canvas"))).all()
    assert other.complaints == []


def test_every_file_can_be_downloaded(visit: Visit) -> None:
    page = visit.open()
    links = page.locator(".downloads a").all()
    assert len(links) == 9  # two pictures and an array, each in three formats
    for link in links:
        answer = httpx.get(f"{visit.url}{link.get_attribute('href')}")
        assert answer.status_code == 200
        assert answer.content


def test_the_page_of_a_job_shows_it(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("link", name="The page of this job").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("grad_cam with efficientnet_lite0")
    assert visit.width_of(page.locator("figure img").first) > 200
    expect(page.locator(".facts").first).to_contain_text("Egyptian cat")


def test_the_page_of_a_running_job_follows_it_and_cancels_it(visit: Visit) -> None:
    request = {"method": "filters", "model": "efficientnet_lite0", "params": {"layer": "head_relu", "channels": [1], "steps": 2048}}
    job = httpx.post(f"{visit.url}/v1/jobs", content=json.dumps(request), headers={"Content-Type": "application/json"}).json()
    page = visit.open(f"/jobs/{job['id']}", first_heat=False)
    expect(page.locator(".progress")).to_contain_text("of 2048", timeout=90_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This job was canceled")).to_be_visible(timeout=20_000)


def test_a_job_that_is_not_there_says_so(visit: Visit) -> None:
    visit.expected = {404}
    page = visit.open("/jobs/01K00000000000000000000000", first_heat=False)
    expect(page.get_by_role("alert")).to_contain_text("It has expired, was deleted, or belongs to somebody else.")
