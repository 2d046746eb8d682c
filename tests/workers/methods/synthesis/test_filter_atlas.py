"""The atlas has every channel: some are taken over, the others are made group by group, and each stands where `order` says."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.synthesis.filter_atlas import FilterAtlas, FilterAtlasFacts
from schemas.methods.synthesis.filters import Filters
from tests.contract.cases import examined_model
from tests.drawn import drawn
from tests.workers.engine.ascent.support import lively
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.progress import Pieces, Slice
from workers.methods.synthesis import filter_atlas, filters
from workers.methods.synthesis.filter_atlas import ChannelAtlas

PROBE, PUBLISHED = examined_model("lively", lively())
COUNT = PUBLISHED.description.layer_at("conv2").channels or 0
HOW = {"layer": "conv2", "size": 24, "steps": 3}


def resolved(**params: object) -> FilterAtlas:
    return FilterAtlas.model_validate(HOW | params).resolve(PUBLISHED, MethodLimits())


def drive(params: FilterAtlas, pieces: Pieces | None = None) -> tuple[list[Slice], ChannelAtlas]:
    return ended(filter_atlas.run(PROBE, Inputs(np.zeros((0, 1, 1, 3), np.float32), pieces=pieces or {}), params))


def ended(run: Generator[Slice, None, Any]) -> tuple[list[Slice], Any]:
    slices = []
    while True:
        try:
            slices.append(next(run))
        except StopIteration as stop:
            return slices, stop.value


def pieces_of(slices: list[Slice]) -> dict:
    return {name: arrays for each in slices for name, arrays in each.pieces.items()}


def by_name(output: Output) -> dict[str, np.ndarray]:
    every = [each for each in drawn(output).artifacts if isinstance(each, Picture | Array)]
    return {each.name: each.image if isinstance(each, Picture) else each.array for each in every}


def test_it_is_what_filters_makes_of_all_channels_group_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_atlas, "GROUP", 3)
    slices, atlas = drive(resolved())
    assert [sorted(map(int, each.pieces)) for each in slices if each.pieces] == [
        list(range(start, min(start + 3, COUNT))) for start in range(0, COUNT, 3)
    ]
    assert (slices[-1].step, slices[-1].total, atlas.reused) == (3 * COUNT, 3 * COUNT, 0)
    params = Filters.model_validate(HOW | {"channels": "all"}).resolve(PUBLISHED, MethodLimits())
    assert filters.reusable(params).work == filter_atlas.reusable(resolved()).work
    run = filters.run(PROBE, Inputs(np.zeros((0, 1, 1, 3), np.float32)), params)
    made = ended(run)[1]
    np.testing.assert_allclose(atlas.objectives, made.values[:, -1], rtol=1e-4, atol=1e-5)
    expected = by_name(filters.draw(made, None, params))
    for channel, picture in enumerate(atlas.pictures):
        assert np.abs(picture.astype(int) - expected[f"channel_{channel}"]).max() <= 1


def test_it_goes_on_from_what_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_atlas, "GROUP", 2)
    slices, whole = drive(resolved())
    stopped = pieces_of(slices[: len(slices) // 2]) | {str(COUNT): {}, "another": {}}
    rest, again = drive(resolved(), stopped)
    kept = set(stopped) & {str(channel) for channel in range(COUNT)}
    assert 0 < len(kept) < COUNT
    assert (set(pieces_of(rest)), again.reused) == ({str(channel) for channel in range(COUNT)} - kept, len(kept))
    np.testing.assert_allclose(again.objectives, whole.objectives, rtol=1e-5)
    assert rest[0].step >= 3 * len(kept)
    nothing, full = drive(resolved(), pieces_of(slices))
    assert (nothing, full.reused) == ([], COUNT)
    np.testing.assert_array_equal(full.pictures, whole.pictures)


@pytest.mark.parametrize("order", ["channel", "objective"])
def test_a_tile_stands_where_order_says_and_the_dead_are_crossed_and_last(order: str) -> None:
    pictures = tuple(np.full((10, 10, 3), level, np.uint8) for level in (10, 20, 30, 40, 50))
    atlas = ChannelAtlas(pictures, np.float32([1, 5, 9, 3, 5]), np.array([True, True, False, True, True]), 2)
    params = resolved(order=order, columns=2)
    output = filter_atlas.draw(atlas, None, params)
    made = by_name(output)
    assert made["order"].tolist() == ([0, 1, 2, 3, 4] if order == "channel" else [1, 4, 3, 0, 2])
    facts = output.facts
    assert isinstance(facts, FilterAtlasFacts)
    assert (facts.side, facts.gap, facts.columns, facts.reused) == (10, 4, 2, 2)
    assert (facts.strongest, facts.dead_channels) == ((1, 4, 3, 0), (2,))
    assert output.warnings == ("No gradient ever reached the input for 1 of 5 channels: these are not drawn.",)
    step = facts.side + facts.gap
    for place, channel in enumerate(made["order"]):
        row, column = divmod(place, facts.columns)
        tile = made["atlas"][row * step : row * step + 10, column * step : column * step + 10]
        np.testing.assert_array_equal(tile, made["tiles"][channel])
    assert len(np.unique(made["tiles"][2])) == 2


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="channels"):
        FilterAtlas.model_validate(HOW).resolve(PUBLISHED, MethodLimits(max_atlas_pixels=24 * 24 * COUNT - 1))
    assert resolved().columns == int(np.ceil(np.sqrt(COUNT)))
