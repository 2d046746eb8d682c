"""Pictures that the service draws when they are fetched are those that the worker would draw, for every method."""

from __future__ import annotations

import pytest

from rendering import encode
from rendering.drawings import DRAWINGS, UnknownDrawing, drawing_from
from schemas.methods import METHODS
from tests.contract.cases import case
from tests.drawn import drawn
from workers.contract.artifacts import Picture, PictureOfArrays
from workers.execution.artifact_encoders import encode_artifact

# Names of pictures that are functions of arrays which the job returns.
DEFERRED = {"heatmap", "overlay", "histogram"}
# Only the last output of `sandbox` is an array of the job. `dff` and `activation_atlas` draw several photos, and the service draws one.
AT_ONCE = {"sandbox", "dff", "activation_atlas"}


@pytest.mark.parametrize("model", ["functional", pytest.param("grey", marks=pytest.mark.slow)])
def test_drawn_later_from_stored_arrays_they_equal_those_drawn_at_once(method: str, model: str) -> None:
    tried = case(method, model)
    for result, photo in tried.results()[:2]:
        output = tried.method.draw(result, photo, tried.params)
        arrays = {each.name: each.array for each in output.artifacts if hasattr(each, "array")}
        later = {each.name: each.image for each in drawn(output, photo).artifacts if isinstance(each, Picture)}
        for each in output.artifacts:
            if isinstance(each, PictureOfArrays):
                now = each.drawing.draw(arrays, None if photo is None else photo.image)
                assert encode.png(now) == encode.png(later[each.name])
                assert now.shape == each.shape == encode_artifact(each).description.shape
            elif isinstance(each, Picture):
                assert each.primary or method in AT_ONCE, f"{method} encodes {each.name} at once"


@pytest.mark.slow
def test_overlays_heatmaps_and_histograms_are_left_to_the_service() -> None:
    """Without this, the test above would pass if no picture were drawn later."""
    for name, params in METHODS.items():
        tried = case(name, "functional")
        result, photo = tried.results()[0]
        output = tried.method.draw(result, photo, tried.params)
        expected = {spec.name for spec in params.card.artifacts if spec.kind == "image" and not spec.primary} & DEFERRED
        assert expected <= {each.name for each in output.artifacts if isinstance(each, PictureOfArrays)}


def test_the_registry_knows_each_kind_and_refuses_others() -> None:
    known = {
        "annotated_map",
        "best_areas",
        "histograms",
        "input_picture",
        "layer_channels",
        "maps_on_photo",
        "stretched_channels",
        "synthesised_image",
    }
    assert set(DRAWINGS) == known
    for kind, drawing in DRAWINGS.items():
        assert drawing.model_fields["kind"].default == kind
    with pytest.raises(UnknownDrawing, match="There is no drawing 'histogram'"):
        drawing_from({"kind": "histogram"})
    with pytest.raises(UnknownDrawing, match="There is no drawing 'None'"):
        drawing_from({})
    with pytest.raises(TypeError):
        DRAWINGS["other"] = DRAWINGS["histograms"]  # type: ignore[index]
