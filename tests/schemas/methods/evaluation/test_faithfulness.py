"""The parameters of `faithfulness`: which methods it can test, and how their parameters become part of the job's own."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.evaluation.faithfulness import Faithfulness
from schemas.methods.evaluation.judged_map import attribution_methods
from schemas.methods.perturbation.rise import Rise
from tests.schemas.tiny import published


def resolved(limits: MethodLimits | None = None, **params: Any) -> Faithfulness:
    return Faithfulness.model_validate(params).resolve(published(), limits or MethodLimits())


def test_attribution_methods_are_those_with_a_map_on_the_image() -> None:
    known = attribution_methods()
    assert {"grad_cam", "occlusion", "rise"} <= set(known)
    assert not {"predict", "activations", "filters", "weights", "faithfulness", "compare"} & set(known)


def test_options_are_filled_in_once() -> None:
    params = resolved(options={"alpha": 0.5})
    assert params.options is not None
    assert (params.options["layer"], params.options["alpha"], params.options["fuse"]) == ("block5_conv3", 0.5, "mean")
    assert not {"class_index", "sign", "output", "precision"} & set(params.options)
    assert params.resolve(published(), MethodLimits()) == params
    assert Faithfulness.model_validate_json(params.model_dump_json()) == params
    assert resolved(options={"alpha": 0.5, "fuse": "mean"}).model_dump_json() == params.model_dump_json()


def test_the_class_is_a_parameter_of_the_job() -> None:
    params = resolved(class_index="espresso", precision="bfloat16")
    attribution = params.attribution_params()
    assert isinstance(attribution, GradCam)
    assert (attribution.class_index, attribution.precision, attribution.layer) == (4, "bfloat16", "block5_conv3")
    explained = resolved(attribution="rise", options={"masks": 7}).attribution_params(2)
    assert isinstance(explained, Rise)
    assert (explained.class_index, explained.masks, explained.score) == (2, 7, "probability")


def test_a_method_without_a_class_gets_none() -> None:
    assert not hasattr(resolved(attribution="eigen_cam", class_index=1).attribution_params(1), "class_index")


@pytest.mark.parametrize(
    ("given", "error", "pointer"),
    [
        ({"attribution": "grad_camm"}, errors.InvalidParameters, "/params/attribution"),
        ({"attribution": "predict"}, errors.InvalidParameters, "/params/attribution"),
        ({"attribution": "faithfulness"}, errors.InvalidParameters, "/params/attribution"),
        ({"class_index": [1, 2]}, errors.InvalidParameters, "/params/class_index"),
        ({"class_index": 5}, errors.UnknownClass, "/params/class_index"),
        ({"options": {"colour": "jet"}}, errors.InvalidParameters, "/params/options/colour"),
        ({"options": {"alpha": 2}}, errors.InvalidParameters, "/params/options/alpha"),
        ({"options": {"class_index": 1}}, errors.InvalidParameters, "/params/options/class_index"),
        ({"options": {"layer": "nowhere"}}, errors.UnknownLayer, "/params/options/layer"),
        ({"attribution": "occlusion", "options": {"window": 21}}, errors.InvalidParameters, "/params/options/window"),
        ({"attribution": "rise", "options": {"masks": 8193}}, errors.LimitExceeded, "/params/options/masks"),
    ],
)
def test_wrong_parameters_are_refused(given: dict[str, Any], error: type[errors.VisualizationError], pointer: str) -> None:
    with pytest.raises(error) as raised:
        resolved(**given)
    assert raised.value.pointer == pointer


def test_the_error_for_a_misspelt_method_has_the_nearest_name() -> None:
    with pytest.raises(errors.InvalidParameters, match="'grad_camm'") as raised:
        resolved(attribution="grad_camm")
    assert raised.value.nearest[0] == "grad_cam"


def test_the_number_of_covered_images_is_limited() -> None:
    assert resolved(MethodLimits(max_masks=205), steps=50).steps == 50  # four curves with 51 images each, and the masked image
    with pytest.raises(errors.LimitExceeded):
        resolved(MethodLimits(max_masks=204), steps=50)


def test_covered_images_of_the_attribution_method_count_too() -> None:
    """They count once for the map, and twice for each point at which layers are randomised."""
    rise: dict[str, Any] = {"attribution": "rise", "options": {"masks": 100}, "steps": 9}
    assert resolved(MethodLimits(max_masks=141), **rise).steps == 9
    with pytest.raises(errors.LimitExceeded, match="got 141") as raised:
        resolved(MethodLimits(max_masks=140), **rise)
    assert raised.value.pointer == "/params/options"
    with pytest.raises(errors.LimitExceeded, match="got 541") as raised:
        resolved(MethodLimits(max_masks=540), randomisations=2, **rise)
    assert raised.value.pointer == "/params/randomisations"
