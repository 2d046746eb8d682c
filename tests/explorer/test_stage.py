"""The stage draws the heat from the map's array, and no slider makes a job."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.explorer.browsing import Visit

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_sliders_change_the_drawing_and_ask_nothing(visit: Visit) -> None:
    page = visit.open()
    canvas = page.locator(".stage-canvas")
    before = visit.pixels(canvas)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.get_by_label("Opacity").fill("0")
    bare = visit.pixels(canvas)
    page.get_by_label("Opacity").fill("100")
    full = visit.pixels(canvas)
    page.get_by_role("combobox", name="Colours").select_option("gray")
    grey = visit.pixels(canvas)
    middle = bare.shape[1] // 2

    def changed(after: np.ndarray) -> np.ndarray:
        return (after != bare).any(-1)

    assert changed(before).any()
    assert np.abs(full - bare).sum() > np.abs(before - bare).sum()
    assert (grey != full).any()
    page.get_by_label("Before / after").fill("50")
    wiped = changed(visit.pixels(canvas))
    assert not wiped[:, : middle - 3].any()
    assert wiped[:, middle + 3 :].any()
    page.get_by_label("Threshold").fill("90")
    assert 0 < changed(visit.pixels(canvas)).sum() < wiped.sum() / 2
    assert [each for each in requests if "/v1/" in each] == []


def test_the_scale_and_the_pointer_read_the_map(visit: Visit) -> None:
    page = visit.open()
    href = page.get_by_role("link", name="json of map").get_attribute("href")
    array = httpx.get(f"{visit.url}{href}").json()
    values = np.frombuffer(base64.b64decode(array["base64"]), "<f4").reshape(array["shape"])
    numbers = page.locator(".stage .numbers span").all_inner_texts()
    assert numbers[0] == "0"
    assert float(numbers[2]) == pytest.approx(values.max(), rel=0.01)

    # The model sees the middle 300 × 300 of the 451 × 300 pixels. The strongest cell of the 7 × 7 has its centre here:
    row, column = np.unravel_index(values.argmax(), values.shape)
    x, y = 75.5 + (column + 0.5) * 300 / 7, (row + 0.5) * 300 / 7
    box = page.locator(".stage-canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + x / 451 * box["width"], box["y"] + y / 300 * box["height"])
    read = re.search(r": ([\d.]+) \(", page.locator(".readout").inner_text())
    assert read
    assert float(read[1]) == pytest.approx(values.max(), rel=0.03)
    page.mouse.move(box["x"] + 10, box["y"] + 50)
    assert "the model does not see this place" in page.locator(".readout").inner_text()


def test_the_keyboard_reads_the_map_too(visit: Visit) -> None:
    page = visit.open()
    page.locator(".stage-canvas").focus()
    page.keyboard.press("ArrowRight")
    assert re.match(r"x 235, y 150: [\d.]+ \(\d+ % of the scale\)", page.locator(".readout").inner_text())


def test_two_models_stand_side_by_side(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Pin this view").click()
    page.get_by_label("Model", exact=True).fill("nested")
    page.get_by_role("button", name=re.compile("^nested")).click()
    page.get_by_text("The map of 16 × 16 cells came in").wait_for(timeout=60_000)
    page.get_by_role("button", name="Pin this view").click()
    words = page.locator(".pin figcaption").all_inner_texts()
    assert len(words) == 2
    assert "efficientnet_lite0" in words[0]
    assert "nested" in words[1]


def test_two_pins_stand_side_by_side(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Pin this view").click()
    page.locator(".bars button").nth(1).click()
    page.get_by_text("for tiger cat").wait_for()
    page.get_by_role("button", name="Pin this view").click()
    pinned = page.locator(".pin canvas")
    assert pinned.count() == 2
    assert (visit.pixels(pinned.nth(0)) != visit.pixels(pinned.nth(1))).any()
    assert "Egyptian cat" in page.locator(".pin figcaption").nth(0).inner_text()
    assert "tiger cat" in page.locator(".pin figcaption").nth(1).inner_text()
    page.get_by_role("button", name=re.compile("^Remove the pin of Egyptian cat")).click()
    assert page.locator(".pin").count() == 1


def test_a_map_lies_where_its_layer_looks(visit: Visit, tmp_path: Path) -> None:
    """The model `cutting` sees the lower half of the photo. There is one bright spot, in rows 80 to 96 and columns 24 to 40 of 128."""
    page = visit.open()
    open_spot(page, tmp_path)
    canvas = page.locator(".stage-canvas")
    bare, centre = heat_of(visit, canvas)
    assert centre == pytest.approx((88, 32), abs=1.5)
    zoom = len(bare) / 128
    upper, lower = bare[: int(62 * zoom), :, :3], bare[int(100 * zoom) :, :, :3]
    assert upper.mean() > lower.mean() + 50  # what is not seen is paler
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 32 / 128, box["y"] + box["height"] * 40 / 128)
    assert "the model does not see this place" in page.locator(".readout").inner_text()
    page.mouse.move(box["x"] + box["width"] * 32 / 128, box["y"] + box["height"] * 88 / 128)
    assert "(100 % of the scale)" in page.locator(".readout").inner_text()


def test_the_map_of_a_channel_lies_where_its_layer_looks(visit: Visit, tmp_path: Path) -> None:
    page = visit.open()
    open_spot(page, tmp_path)
    page.locator(".graph .layer", has_text="brightness").click()
    page.locator(".strip button").click()
    _, centre = heat_of(visit, page.get_by_role("img", name="The map of channel 0 on the photo"))
    assert centre == pytest.approx((88, 32), abs=1.5)


def open_spot(page: Page, folder: Path) -> None:
    """Choose a black photo of 128 × 128 pixels with a white spot in rows 80 to 96 and columns 24 to 40, and the model `cutting`."""
    photo = Image.new("RGB", (128, 128), (0, 0, 0))
    photo.paste((255, 255, 255), (24, 80, 40, 96))
    photo.save(folder / "spot.png")
    page.get_by_label("A photo file").set_input_files(folder / "spot.png")
    page.get_by_label("Model", exact=True).fill("cutting")
    page.get_by_role("button", name=re.compile("^cutting")).click()
    page.get_by_text("The map of 8 × 16 cells came in").wait_for(timeout=60_000)


def heat_of(visit: Visit, canvas: Locator) -> tuple[np.ndarray, tuple[float, float]]:
    """Return the pixels of a canvas without heat, and the centre of its heat (row and column) in pixels of a photo of 128 × 128."""
    canvas.wait_for()
    opacity = visit.page.get_by_label("Opacity")
    opacity.fill("0")
    bare = visit.pixels(canvas)
    opacity.fill("100")
    changed = np.abs(visit.pixels(canvas) - bare).sum(-1).astype(float)
    zoom = len(bare) / 128
    row, column = (float((changed.sum(1 - axis) * (np.arange(changed.shape[axis]) + 0.5)).sum() / changed.sum() / zoom) for axis in (0, 1))
    return bare, (row, column)
