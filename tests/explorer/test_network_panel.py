"""The layers, their maps of the photo, and the card of a channel."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.explorer.browsing import Visit

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_the_graph_has_every_layer_and_every_edge(visit: Visit) -> None:
    page = visit.open()
    model = httpx.get(f"{visit.url}/v1/models/efficientnet_lite0").json()
    expect(page.locator(".graph .layer")).to_have_count(len(model["layers"]))
    assert page.locator(".graph path.edge").count() == sum(len(layer["inbound"]) for layer in model["layers"])
    page.get_by_label("Search layers").fill("block3")
    found = [layer["path"] for layer in model["layers"] if "block3" in layer["path"]]
    expect(page.locator(".graph .layer")).to_have_count(len(found))
    page.get_by_label("Kind of layer").select_option("conv")
    expect(page.locator(".graph .layer")).to_have_count(sum(l["kind"] == "conv" and "block3" in l["path"] for l in model["layers"]))  # noqa: E741


def test_a_channel_has_its_map_its_image_and_its_pattern_and_a_link(visit: Visit) -> None:
    page = visit.open()
    page.locator(".graph .layer", has_text="block2_add").click()
    strip = page.locator(".strip button")
    expect(strip).to_have_count(24)
    strip.nth(2).click()
    channel = strip.nth(2).inner_text().strip()
    card = page.get_by_role("article", name=f"Channel {channel} of block2_add")
    expect(card.get_by_role("img", name=f"The map of channel {channel} on the photo")).to_be_visible()
    expect(card.get_by_role("img", name=f"The image that excites channel {channel} of block2_add most")).to_be_visible(timeout=90_000)
    expect(card.get_by_role("img", name=f"The pattern of the photo that channel {channel} responds to")).to_be_visible(timeout=60_000)
    link = card.get_by_role("link", name="Link to this channel").get_attribute("href")
    other = page.context.new_page()
    other.goto(f"{visit.url}/{link}")
    expect(other.get_by_role("article", name=f"Channel {channel} of block2_add")).to_be_visible(timeout=60_000)


def test_the_image_of_a_channel_forms_step_by_step(visit: Visit) -> None:
    page = visit.open("/#layer=block5_expand_conv&channel=7")
    card = page.get_by_role("article", name="Channel 7 of block5_expand_conv")
    expect(card.get_by_role("img", name="The image that excites channel 7")).to_be_visible(timeout=120_000)
    card.get_by_role("button", name="Take 256 steps").click()
    expect(card.get_by_role("img", name="The picture as it forms")).to_be_visible(timeout=60_000)
    card.get_by_role("button", name="Close").click()
    expect(card).to_have_count(0)


def test_patches_come_from_the_photos_that_were_chosen(visit: Visit) -> None:
    page = visit.open("/#layer=block2_add&channel=3")
    page.get_by_role("button", name="A cup of espresso").click()
    expect(page.locator("#stage-title")).to_contain_text("espresso")
    card = page.get_by_role("article", name="Channel 3 of block2_add")
    card.get_by_role("button", name="Search my photos").click()
    expect(card.get_by_role("img", name="The parts of your photos")).to_be_visible(timeout=60_000)


def test_a_nested_model_is_folded_until_it_is_opened(visit: Visit) -> None:
    page = visit.open("/#model=nested")
    fold = page.locator(".graph button.nested")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".graph .layer", has_text="second")).to_have_count(0)
    fold.click()
    page.locator(".graph .layer", has_text="second").click()
    expect(page.locator(".strip li")).to_have_count(8)
    page.locator(".strip button").first.click()
    expect(page.get_by_role("article")).to_contain_text("base/second")


def test_a_layer_without_a_map_shows_its_largest_values(visit: Visit) -> None:
    page = visit.open("/#layer=predictions")
    first = page.locator(".values tbody tr").first
    expect(first.locator("td").first).to_have_text("285")  # Egyptian cat
    expect(first.locator("td").nth(1)).to_have_text("0.392")


def test_a_channel_that_does_not_exist_is_named_in_words(visit: Visit) -> None:
    page = visit.open("/#layer=block2_add&channel=99")
    expect(page.locator(".network")).to_contain_text("The layer block2_add has the channels 0 to 23; the link names 99.")
