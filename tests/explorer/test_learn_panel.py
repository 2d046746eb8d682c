"""The kernel slides over the photo with its arithmetic, and the article goes on stage by stage."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.explorer.browsing import Visit

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_the_sum_is_that_of_the_products(visit: Visit) -> None:
    page = visit.open()
    page.get_by_label("Position of the kernel").fill("40")
    expect(page.locator(".arithmetic caption")).to_have_text("Row 1, column 6: pixel × weight")  # 36 − 2 = 34 places in a row
    cells = [cell.replace("−", "-").split(" × ") for cell in page.locator(".arithmetic td").all_inner_texts()]
    assert len(cells) == 9
    assert [float(weight) for _, weight in cells] == [-1, 0, 1, -2, 0, 2, -1, 0, 1]
    total = float(page.locator(".arithmetic strong").inner_text().replace("−", "-"))
    assert total == pytest.approx(sum(float(pixel) * float(weight) for pixel, weight in cells), abs=0.05)
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.locator(".arithmetic caption")).to_contain_text("column 7")


def test_play_moves_the_kernel_and_pause_stops_it(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".arithmetic caption")).not_to_contain_text("Row 0, column 0")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_article_goes_on_stage_by_stage(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name=re.compile(r"^1\. Three kernels of 3 × 3")).click()
    expect(page.get_by_role("img", name="The photo after each stage: Three kernels of 3 × 3")).to_be_visible()
    page.get_by_role("button", name="Next: Three kernels of 10 × 10").click()
    expect(page.get_by_role("img", name="The photo after each stage: Three kernels of 10 × 10")).to_be_visible()


def test_the_page_has_all_stages_of_the_article(visit: Visit) -> None:
    import httpx

    page = visit.open()
    sandbox = httpx.get(f"{visit.url}/v1/methods/sandbox").json()
    presets = sandbox["parameters"]["properties"]["preset"]["anyOf"][0]["enum"]
    expect(page.locator(".stages li")).to_have_count(len(presets))
