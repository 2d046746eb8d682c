"""Photos come from files, the clipboard and samples; models and classes are searched and chosen."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.explorer.browsing import Visit

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_a_file_is_uploaded_and_explained(visit: Visit, small_photo: Path) -> None:
    page = visit.open()
    page.get_by_label("A photo file").set_input_files(small_photo)
    expect(page.locator(".stage-canvas")).to_have_attribute("aria-label", re.compile("tall.png"))
    visit.map_line.wait_for()
    # The model cuts out a square: 60 of 90 rows, which is 67 %.
    expect(page.locator(".frame figcaption")).to_contain_text("67 % of the photo")
    expect(page.locator(".bars li")).to_have_count(5)
    page.wait_for_function("location.hash.includes('photo=img_')")
    page.reload()
    expect(page.locator(".stage-canvas")).to_have_attribute("aria-label", re.compile("Your photo"))


_DROP = """([target, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "moved.png", { type: "image/png" }));
  const event = target === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
  document.querySelector(".drop").dispatchEvent(event);
}"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_is_dropped_or_pasted(visit: Visit, small_photo: Path, way: str) -> None:
    import base64

    page = visit.open()
    page.evaluate(_DROP, [way, base64.b64encode(small_photo.read_bytes()).decode()])
    expect(page.locator(".stage-canvas")).to_have_attribute("aria-label", re.compile("moved.png"))


def test_a_file_that_is_no_photo_is_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    visit.expected = {415}
    page = visit.open()
    (tmp_path / "words.png").write_text("These are words.")
    page.get_by_label("A photo file").set_input_files(tmp_path / "words.png")
    expect(page.locator(".photo .fault")).to_contain_text("Choose a JPEG, PNG, WebP")
    expect(page.locator(".stage-canvas")).to_have_attribute("aria-label", re.compile("A tabby cat"))


def test_samples_change_the_photo_and_the_answer(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="A cup of espresso").click()
    expect(page.locator(".bars li").first).to_contain_text("espresso")
    expect(page.locator("#stage-title")).to_contain_text("espresso")


def test_a_click_on_a_class_asks_for_a_job_and_its_map_alone(visit: Visit) -> None:
    page = visit.open()
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {urlsplit(request.url).path}") if "/v1/" in request.url else None)
    page.locator(".bars button").nth(1).click()
    expect(page.locator("#stage-title")).to_contain_text("tiger cat")
    page.wait_for_load_state("networkidle")
    job = page.get_by_role("link", name="The page of this job").get_attribute("href")
    assert job
    assert asked == ["POST /v1/jobs", f"GET /v1/jobs/{job.rsplit('/', 1)[1]}/artifacts/map"]


def test_a_class_changes_the_heat(visit: Visit) -> None:
    page = visit.open()
    canvas = page.locator(".stage-canvas")
    before = visit.pixels(canvas)
    page.get_by_role("button", name=re.compile("^tabby, tabby cat")).click()
    expect(page.locator("#stage-title")).to_contain_text("tabby, tabby cat")
    assert (visit.pixels(canvas) != before).any()
    page.get_by_label("Another class").fill("espresso")
    page.get_by_role("button", name=re.compile("^espresso 967")).click()
    expect(page.locator("#stage-title")).to_contain_text("espresso")


def test_models_are_searched_and_an_unusable_one_says_why(visit: Visit) -> None:
    page = visit.open()
    page.get_by_label("Model", exact=True).fill("torn")
    expect(page.locator(".models .menu li")).to_have_count(1)
    page.get_by_role("button", name="torn cannot be used").click()
    expect(page.locator(".photo .fault")).to_contain_text("The model torn cannot be used")
    expect(page.locator(".answer")).to_contain_text("Choose a model that can be used.")
    page.get_by_label("Model", exact=True).fill("no such model")
    expect(page.locator(".models")).to_contain_text("No model has")
    page.get_by_label("Model", exact=True).fill("lite0")
    page.get_by_role("button", name=re.compile("^efficientnet_lite0")).click()
    expect(page.locator(".bars li")).to_have_count(5)
