"""Methods are chosen by family, their parameters become a form, and their jobs are followed and canceled."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.explorer.browsing import Visit

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_every_method_is_in_a_family_and_says_how_to_read_it(visit: Visit) -> None:
    page = visit.open()
    shown: list[str] = []
    for family in ("Where", "Pixels", "Attention", "Cover it", "Change it", "Compare", "How true", "Several photos", "More"):
        page.get_by_role("button", name=family, exact=True).click()
        shown += page.locator(".cards .card strong, .several summary strong").all_inner_texts()
    titles = {each["title"]: each for each in httpx.get(f"{visit.url}/v1/methods").json()}
    assert sorted(shown) == sorted(title for title, each in titles.items() if each["name"] != "predict")
    page.get_by_role("button", name="Where", exact=True).click()
    expect(page.locator(".chosen")).to_contain_text(titles["Grad-CAM"]["how_to_read"])
    expect(page.locator(".chosen")).to_contain_text(titles["Grad-CAM"]["cost"])


def test_a_method_of_several_photos_shows_how_it_is_called(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Several photos", exact=True).click()
    page.get_by_text("Nearest photos").click()
    call = page.get_by_role("group", name="A call of Nearest photos").inner_text()
    assert "-F image=@photo.jpg" in call
    assert call.count("-F images=@") == 3
    assert f"{visit.url}/v1/nearest" in call


def test_a_parameter_reaches_the_job(visit: Visit) -> None:
    page = visit.open()
    page.get_by_label("layer", exact=True).fill("block4_add")
    page.get_by_label("layer", exact=True).blur()
    page.get_by_label("eigen smooth").check()
    page.get_by_role("button", name="Run Grad-CAM").click()
    expect(page.get_by_text("The map of 28 × 28 cells came in")).to_be_visible()
    job = page.get_by_role("link", name="The page of this job").get_attribute("href")
    assert job
    params = httpx.get(f"{visit.url}/v1{job}").json()["params"]
    assert (params["layer"], params["eigen_smooth"]) == ("block4_add", True)


def test_a_wrong_parameter_is_shown_at_its_field(visit: Visit) -> None:
    visit.expected = {422}
    page = visit.open()
    page.get_by_label("layer", exact=True).fill("block4_ad")
    page.get_by_label("layer", exact=True).blur()
    page.get_by_role("button", name="Run Grad-CAM").click()
    expect(page.locator(".field.wrong")).to_contain_text("block4_add")


def test_a_fast_method_runs_when_it_is_chosen(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Pixels", exact=True).click()
    page.get_by_role("button", name=re.compile("^Gradient × input")).click()
    expect(page.get_by_text("The map of 224 × 224 cells came in")).to_be_visible()
    # The map has two signs, so zero is in the middle of the scale.
    assert page.locator(".stage .numbers span").nth(1).inner_text() == "0"
    assert visit.width_of(first_picture(page)) > 200


def test_a_slow_method_shows_its_steps_and_is_canceled(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Cover it", exact=True).click()
    page.get_by_role("button", name=re.compile("^RISE")).click()
    page.get_by_role("button", name="Run RISE").click()
    expect(page.locator(".chosen .progress")).to_contain_text(re.compile(r"Step \d+ of \d+"), timeout=60_000)
    page.locator(".chosen").get_by_role("button", name="Cancel").click()
    expect(page.locator(".chosen .progress")).to_have_count(0)
    job = httpx.get(f"{visit.url}/v1/jobs?method=rise&limit=1").json()["items"][0]
    assert httpx.get(f"{visit.url}/v1/jobs/{job['id']}?wait=20", timeout=30).json()["state"] == "canceled"


def test_methods_without_a_map_show_their_pictures(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="How true", exact=True).click()
    page.get_by_role("button", name=re.compile("^Faithfulness")).click()
    page.get_by_label("steps", exact=True).fill("5")
    page.get_by_role("button", name=re.compile("^Run Faithfulness")).click()
    assert visit.width_of(first_picture(page)) > 200


def first_picture(page: Page) -> Locator:
    """Return the first picture under the results. The page fetches a picture when it comes near."""
    page.locator(".results figure").first.scroll_into_view_if_needed(timeout=60_000)
    return page.locator(".results img").first
