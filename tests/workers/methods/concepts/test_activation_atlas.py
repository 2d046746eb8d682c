"""An atlas of photos in three colours. The model, whose layer has a channel for each colour, and the photos are those of `test_dff`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters, LimitExceeded, UnsuitableLayer, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.concepts.activation_atlas import ActivationAtlas, default_columns, default_least
from schemas.methods.concepts.atlas_facts import ActivationAtlasFacts
from schemas.methods.facts import Prediction
from tests.contract.cases import examined_model
from tests.workers.methods.concepts.test_dff import IDS, arrays, model, photo_of
from tests.workers.methods.linear import driven
from workers.contract.artifacts import Output, Picture
from workers.contract.inputs import Inputs, Prepared
from workers.contract.progress import Pieces, Slice
from workers.engine.probe import KerasProbe
from workers.methods.concepts import activation_atlas
from workers.methods.concepts.atlas_sheet import short_name, size_share

QUICK = {"layer": "colour", "preset": "lucid", "steps": 24, "size": [8, 12], "columns": 3, "transforms": {}, "learning_rate": 0.3}


@pytest.fixture(scope="module")
def probe() -> KerasProbe:
    return examined_model("colours", model())[0]


def slices_and_output(probe: KerasProbe, several: list[Prepared], pieces: Pieces | None = None, **given: Any) -> tuple[list[Slice], Output]:
    params = ActivationAtlas.model_validate({"images": IDS[: len(several)], **QUICK, **given}).resolve(probe.published, MethodLimits())
    inputs = Inputs(np.zeros((0, 8, 12, 3), np.float32), several=tuple(several), pieces=pieces or {})
    slices, result = driven(activation_atlas.run(probe, inputs, params))
    steps = [each.step for each in slices]
    assert steps == sorted(steps)
    assert steps[-1] == slices[-1].total
    return slices, activation_atlas.draw(result, None, params)


def atlas(probe: KerasProbe, several: list[Prepared], **given: Any) -> Output:
    return slices_and_output(probe, several, **given)[1]


def facts(output: Output) -> ActivationAtlasFacts:
    assert isinstance(output.facts, ActivationAtlasFacts)
    return output.facts


def pictures(output: Output) -> dict[str, np.ndarray]:
    return {each.name: each.image for each in output.artifacts if isinstance(each, Picture)}


def three_colours(probe: KerasProbe) -> list[Prepared]:
    """Return photos whose activations are 20 of red, 8 of green and 20 of blue. Photo 0 has 8 of each, photo 1 has 12 of red and blue."""
    return [photo_of(probe, "red", "green", "blue"), photo_of(probe, "red", "blue")]


def test_each_colour_has_a_cell_with_its_image_and_its_class(probe: KerasProbe) -> None:
    """The activations are (1, 0, 0) for red, (0, 1, 0) for green and (0, 0, 1) for blue, three points of a plane. The classes of these
    colours are 1, 2 and 3."""
    output = atlas(probe, three_colours(probe))
    found, values = facts(output), arrays(output)
    assert sum(found.explained_variance) == pytest.approx(1, abs=1e-5)
    assert (found.activations, found.left_out, found.labelled) == (48, 0, True)
    vectors = {tuple(np.rint(each).astype(int)): number for number, each in enumerate(values["vectors"])}
    np.testing.assert_allclose(values["vectors"], np.rint(values["vectors"]), atol=1e-5)
    red, green, blue = (vectors[each] for each in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert [found.cells[each].activations for each in (red, green, blue)] == [20, 8, 20]
    assert [found.cells[each].classes[0].class_index for each in (red, green, blue)] == [1, 2, 3]
    assert [found.cells[each].images for each in (red, green)] == [(1, 0), (0,)]
    for channel, cell in enumerate((red, green, blue)):  # the middle of the map is rows 1-2 and columns 2-3, pixels 2-5 and 4-7
        colour = values["tiles"][cell][2:6, 4:8].mean(axis=(0, 1))
        assert colour.argmax() == channel
        assert colour[channel] > np.delete(colour, channel).max() + 60
    first = values["places"][0]
    assert first[:3].tolist() == [0, 0, 0]
    assert values["cells"][first[3]].tolist() == [found.cells[red].row, found.cells[red].column, 20]


def test_a_picture_has_the_image_and_the_photo_of_each_cell_at_its_place(probe: KerasProbe) -> None:
    """Without a title, a cell is a square of 150 pixels, and 4 pixels lie between two cells. The grid here is 2 × 2 or 2 × 1."""
    output = atlas(probe, three_colours(probe), annotate=False, columns=2, steps=2)
    shown, cells = pictures(output)["examples"], facts(output).cells
    top, left = (min(getattr(each, name) for each in cells) for name in ("row", "column"))
    for cell, vector in zip(cells, arrays(output)["vectors"], strict=True):
        pixel = shown[154 * (cell.row - top) + 75, 154 * (cell.column - left) + 75]
        assert pixel.argmax() == vector.argmax()
        assert pixel[vector.argmax()] > 250
    assert {each.size for each in pictures(output).values()} == {shown.size}
    titled = pictures(atlas(probe, three_colours(probe), columns=2, steps=2))
    assert titled["atlas"].shape[0] > shown.shape[0] + 40
    assert titled["atlas"].shape[1] == 720


def test_few_activations_leave_cells_empty(probe: KerasProbe) -> None:
    output = atlas(probe, three_colours(probe), min_activations=9, steps=1)
    found = facts(output)
    assert (len(found.cells), found.cells_with_too_few, found.left_out, found.min_activations) == (2, 1, 8, 9)
    assert "1 cell stays empty because it has fewer than 9 activations. 8 of 48 activations are in such cells." in output.warnings


def test_no_cell_with_enough_activations_is_refused(probe: KerasProbe) -> None:
    with pytest.raises(
        InvalidParameters, match="No cell has 100 activations: layer 'colour' has 24 in all for this photo, and the grid has 3 × 3"
    ) as refused:
        atlas(probe, [photo_of(probe, "red", "blue")], min_activations=100)
    assert refused.value.pointer == "/params/min_activations"


def test_a_layer_that_is_zero_everywhere_is_said_to_be(probe: KerasProbe) -> None:
    output = atlas(probe, [photo_of(probe, "black")], steps=1)
    assert [each.activations for each in facts(output).cells] == [24]
    assert output.warnings[0] == "Layer 'colour' is 0 at every position of these photos, so there is nothing to lay out."
    assert output.warnings[1] == "No gradient ever reached the input for 1 of 1 cells: these are crossed."


def test_one_photo_of_one_colour_is_one_cell(probe: KerasProbe) -> None:
    output = atlas(probe, [photo_of(probe, "green")], columns=None, steps=1)
    (cell,) = facts(output).cells
    assert (cell.activations, facts(output).columns, facts(output).min_activations) == (24, 1, 3)
    assert output.warnings[0] == "All activations have the same direction, so all lie in one cell."


def test_one_position_of_one_photo_is_enough(probe: KerasProbe) -> None:
    output = atlas(probe, [photo_of(probe, "green")], columns=None, per_image=1, steps=1)
    assert [each.activations for each in facts(output).cells] == [1]


def test_positions_are_taken_at_random_by_the_seed(probe: KerasProbe) -> None:
    several = [photo_of(probe, "red", "green", "blue")]
    one, same, other = (arrays(atlas(probe, several, per_image=5, steps=1, columns=1, seed=seed))["places"] for seed in (0, 0, 1))
    assert len(one) == 5
    assert np.array_equal(one, same)
    assert not np.array_equal(one[:, 1:3], other[:, 1:3])


def test_a_second_job_takes_over_the_images_of_the_first(probe: KerasProbe) -> None:
    slices, first = slices_and_output(probe, three_colours(probe), steps=2)
    pieces = {name: arrays for each in slices for name, arrays in each.pieces.items()}
    assert len(pieces) == 3
    again, second = slices_and_output(probe, three_colours(probe), pieces, steps=2)
    assert not any(each.pieces for each in again)
    assert (facts(first).reused, facts(second).reused) == (0, 3)
    np.testing.assert_array_equal(arrays(first)["tiles"], arrays(second)["tiles"])
    works = [activation_atlas.reusable(ActivationAtlas(images=IDS[:1], **given)).work for given in ({}, {"annotate": False}, {"seed": 1})]
    assert works[0] == works[1] != works[2]


@pytest.mark.parametrize(
    ("activations", "columns", "least"),
    [(1, 1, 1), (2, 1, 2), (31, 1, 3), (32, 2, 3), (196, 4, 3), (799, 9, 3), (800, 10, 3), (9000, 10, 3)],
)
def test_the_grid_follows_from_the_number_of_activations(activations: int, columns: int, least: int) -> None:
    assert (default_columns(activations), default_least(activations, columns)) == (columns, least)


def test_a_finer_grid_needs_fewer_activations_in_a_cell() -> None:
    """9 activations in 4 cells are 2.25 for each, so some cell has 3. In 9 cells, some cell has 1, and in 16 cells too."""
    assert [default_least(9, columns) for columns in (1, 2, 3, 4)] == [3, 3, 1, 1]


def test_an_image_grows_with_the_logarithm_of_the_activations() -> None:
    """From 1 to 100 activations, the share grows from 0.45 to 1. 10 are halfway on a logarithmic scale."""
    assert [size_share(count, 1, 100) for count in (1, 10, 100)] == pytest.approx([0.45, 0.725, 1])
    assert size_share(7, 7, 7) == 1


def test_a_class_with_several_names_is_shown_by_the_first() -> None:
    scored = Prediction(class_index=281, label="tabby, tabby cat", logit=1, probability=0.5, head="softmax")
    assert short_name(scored) == "tabby (281)"
    assert short_name(scored.model_copy(update={"label": None})) == "class 281"


def test_an_example_is_the_part_of_the_photo_around_a_position() -> None:
    """A map of 2 × 3 lies over 20 × 30 pixels of the input, to which a photo of 40 × 60 was brought. Position (1, 0) is around (15, 5).

    A share of 0.5 is 10 pixels of the input, so rows 10-20 and columns 0-10 there, and twice as many of the photo. A share of 1 goes
    beyond the photo. A mirrored map has the position at the other end.
    """
    image = np.arange(40 * 60 * 3).reshape(40, 60, 3).astype(np.uint8)
    placement = Placement((20, 30), (0, 0, 20, 30), (0, 0, 40, 60))
    whole = Photo(image, placement)
    np.testing.assert_array_equal(activation_atlas.part_around(whole, (1, 0), (2, 3), 0.5), image[20:40, :20])
    np.testing.assert_array_equal(activation_atlas.part_around(whole, (1, 0), (2, 3), 1.0), image[10:40, :30])
    mirrored = Photo(image, Placement((20, 30), (0, 0, 20, 30), (0, 0, 40, 60), (False, True)))
    np.testing.assert_array_equal(activation_atlas.part_around(mirrored, (1, 0), (2, 3), 0.5), image[20:40, 40:])


@pytest.mark.parametrize(
    ("changes", "error", "pointer"),
    [
        ({"columns": 32, "images": IDS, "min_activations": 1, "steps": 2000, "size": [8, 512]}, LimitExceeded, "/params"),
        ({"layer": "classes"}, UnsuitableLayer, "/params/layer"),
        ({"steps": 4000}, LimitExceeded, "/params/steps"),
    ],
)
def test_what_does_not_fit_is_refused(probe: KerasProbe, changes: dict[str, Any], error: type[VisualizationError], pointer: str) -> None:
    with pytest.raises(error) as refused:
        ActivationAtlas.model_validate({"images": IDS[:1], **QUICK, **changes}).resolve(probe.published, MethodLimits())
    assert refused.value.pointer == pointer


def test_more_activations_than_an_atlas_can_lay_out_are_refused() -> None:
    published = examined_model("any_size", model())[0].published
    unknown = [
        layer.model_copy(update={"output_shape": (None, None, 3)}) if layer.path == "colour" else layer
        for layer in published.description.layers
    ]
    any_size = published.model_copy(update={"description": published.description.model_copy(update={"layers": tuple(unknown)})})
    asked = ActivationAtlas.model_validate({"images": IDS[:5], **QUICK, "per_image": 4000})
    with pytest.raises(LimitExceeded, match="number of activations of all images may be at most 16,384, but got 20,000") as refused:
        asked.resolve(any_size, MethodLimits())
    assert refused.value.pointer == "/params/per_image"
    assert asked.resolve(published, MethodLimits()).per_image == 4000  # its map has 24 positions only
