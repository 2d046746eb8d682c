"""Interventions in a layer whose outcome is worked by hand: the layer `conv` is the input itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters, UnknownChannel, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.interventions.intervene import Intervene, InterveneFacts
from schemas.models import Layer, LayerKind, ModelDescription, TokenGrid
from tests.schemas.tiny import layer, published
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, batch, photo_of, softmax
from tests.workers.methods.support import published as formula
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs, Prepared
from workers.methods.interventions import intervene
from workers.methods.interventions.intervene import changed_activations, chosen_places
from workers.methods.interventions.intervention_pictures import changed_most

OTHER = f"img_{1:064x}"
OWN = np.arange(12, dtype=np.float32).reshape(2, 2, 3)


class LayeredProbe(FormulaProbe):
    """The formula with a description of its layers."""

    def __init__(self) -> None:
        model = formula()
        layers = (layer("conv", LayerKind.CONV, (4, 6, 3), ()), layer("pool", LayerKind.POOLING, (3,), ("conv",)))
        super().__init__(model.model_copy(update={"description": model.description.model_copy(update={"layers": layers})}))


def test_actions_by_hand() -> None:
    first = np.zeros(OWN.shape, bool)
    first[..., 0] = True
    scaled = changed_activations(OWN, first, "scale", factor=-2)
    assert scaled[..., 0].tolist() == [[0, -6], [-12, -18]]
    np.testing.assert_array_equal(scaled[..., 1:], OWN[..., 1:])
    assert not changed_activations(OWN, first, "zero")[..., 0].any()
    assert changed_activations(OWN, first, "mean")[..., 0].tolist() == [[4.5, 4.5], [4.5, 4.5]]
    assert changed_activations(OWN, first, "swap", other=OWN + 100)[..., 0].tolist() == [[100, 103], [106, 109]]


def describing(path: str, shape: tuple[int, ...], grid: TokenGrid | None = None) -> ModelDescription:
    found: Layer = layer(path, LayerKind.CONV, shape, ()).model_copy(update={"token_grid": grid})
    return published().description.model_copy(update={"layers": (found,)})


def test_a_box_chooses_the_positions_whose_centres_it_holds() -> None:
    """The photo of 4 × 4 pixels fills the input, so the centres of the map of 2 × 2 lie at 1 and 3."""
    photo = Photo(np.zeros((4, 4, 3), np.uint8), Placement((8, 8), (0, 0, 8, 8), (0, 0, 4, 4)))
    model = describing("conv", (2, 2, 3))
    params = Intervene(layer="conv", box=(0, 2, 2, 2), channels=(0, 2))
    chosen = chosen_places(OWN, photo, params, model)
    assert np.argwhere(chosen).tolist() == [[0, 1, 0], [0, 1, 2]]
    tiny = chosen_places(OWN, photo, Intervene(layer="conv", box=(3.4, 0.2, 0.5, 0.5)), model)
    assert np.argwhere(tiny.all(axis=-1)).tolist() == [[1, 0]]  # the nearest position
    assert chosen_places(OWN, photo, Intervene(layer="conv"), model).all()


def test_a_box_on_tokens_leaves_the_class_token_alone() -> None:
    photo = Photo(np.zeros((4, 4, 3), np.uint8), Placement((8, 8), (0, 0, 8, 8), (0, 0, 4, 4)))
    model = describing("tokens", (5, 3), TokenGrid(height=2, width=2, before=1))
    tokens = np.zeros((5, 3), np.float32)
    chosen = chosen_places(tokens, photo, Intervene(layer="tokens", box=(2, 0, 2, 4), channels=(1,)), model)
    assert np.argwhere(chosen).tolist() == [[3, 1], [4, 1]]


def test_a_mirrored_layer_is_changed_at_the_mirrored_place() -> None:
    photo = Photo(np.zeros((4, 4, 3), np.uint8), Placement((8, 8), (0, 0, 8, 8), (0, 0, 4, 4), (False, True)))
    chosen = chosen_places(OWN, photo, Intervene(layer="conv", box=(0, 2, 2, 2)), describing("conv", (2, 2, 3)))
    assert np.argwhere(chosen.all(axis=-1)).tolist() == [[0, 0]]


def test_a_box_that_the_model_does_not_see_is_refused() -> None:
    photo = Photo(np.zeros((4, 9, 3), np.uint8), Placement((8, 8), (0, 0, 8, 8), (0, 2, 4, 4)))
    with pytest.raises(InvalidParameters, match="sees nothing of the box"):
        chosen_places(OWN, photo, Intervene(layer="conv", box=(0, 7, 1, 1)), describing("conv", (2, 2, 3)))


def found(tensor: np.ndarray, other: np.ndarray | None = None, **params: Any) -> Output:
    asked = Intervene.model_validate({"layer": "conv", "later": "pool", **params})
    second = None if other is None else Prepared(photo_of(seed=1), other[0])
    slices, result = driven(intervene.run(LayeredProbe(), Inputs(tensor, None, (), (photo_of(),), second), asked))
    assert slices[-1].step == slices[-1].total == (2 if other is None else 3)
    return intervene.draw(result, photo_of(), asked)


def arrays(output: Output) -> dict[str, np.ndarray]:
    return {each.name: np.asarray(each.array) for each in output.artifacts if isinstance(each, Array)}


def facts(output: Output) -> InterveneFacts:
    assert isinstance(output.facts, InterveneFacts)
    return output.facts


def test_the_scores_and_the_later_layer_are_those_of_the_changed_layer() -> None:
    tensor = batch(1)
    output = found(tensor, action="zero", channels=[1])
    expected = tensor[0].copy()
    expected[..., 1] = 0
    logits = np.stack([(each**2).sum(axis=(0, 1)) @ FormulaProbe.WEIGHTS.T for each in (tensor[0], expected)])
    np.testing.assert_allclose(arrays(output)["logits"], logits, rtol=1e-5)
    np.testing.assert_allclose(arrays(output)["probabilities"], softmax(logits), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(arrays(output)["later.after"], expected.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_array_equal(arrays(output)["changed"], expected)
    (changed,) = facts(output).later_channels
    assert (changed.channel, changed.mean_after) == (1, 0)
    assert changed.change == pytest.approx(abs(tensor[0, ..., 1].mean()), rel=1e-5)
    assert (facts(output).channels, facts(output).positions) == (1, 24)


def test_ranks_and_differences_of_the_classes() -> None:
    """Channel sums of squares 24, 96 and 24 give the logits 0, 192 and 84; without channel 1 they are 0, 0 and −12."""
    tensor = np.ones((1, 4, 6, 3), np.float32) * np.array([1, 2, 1], np.float32)
    result = facts(found(tensor, action="zero", channels=[1], top=1))
    assert result.flipped
    first, second = result.changes
    assert (first.class_index, first.logit_before, first.logit_after, first.rank_before, first.rank_after) == (1, 192, 0, 1, 1)
    assert (second.class_index, second.logit_before, second.logit_after, second.rank_before, second.rank_after) == (0, 0, 0, 3, 1)


def test_a_swap_of_everything_gives_the_answer_of_the_other_photo() -> None:
    tensor, other = batch(1, 1), batch(1, 2)
    output = found(tensor, other, action="swap", other_image=OTHER)
    np.testing.assert_allclose(arrays(output)["logits"][1], (other[0] ** 2).sum(axis=(0, 1)) @ FormulaProbe.WEIGHTS.T, rtol=1e-5)
    with pytest.raises(InvalidParameters, match="Give a photo of the same size"):
        found(tensor, other.transpose(0, 2, 1, 3), action="swap", other_image=OTHER)


def test_an_intervention_that_changes_nothing_is_said_to() -> None:
    assert "changes no value" in found(batch(1), action="scale", factor=1).warnings[0]


def test_the_channels_that_changed_most_come_first() -> None:
    before = np.zeros((2, 2, 4), np.float32)
    after = before + np.array([1, -3, 0, 2], np.float32)
    assert changed_most(before, after, 9).tolist() == [1, 3, 0]
    assert changed_most(before, after, 2).tolist() == [1, 3]


@pytest.mark.parametrize(
    ("params", "error", "pointer"),
    [
        ({"channels": [8]}, UnknownChannel, "/params/channels"),
        ({"action": "swap"}, InvalidParameters, "/params/other_image"),
        ({"action": "zero", "other_image": OTHER}, InvalidParameters, "/params/other_image"),
        ({"layer": "average", "box": [0, 0, 1, 1]}, InvalidParameters, "/params/box"),
        ({"layer": "average", "action": "mean"}, InvalidParameters, "/params/action"),
        ({"layer": "block5_conv3", "later": "block5_conv1"}, UnsuitableLayer, "/params/later"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(params: dict[str, Any], error: type[Exception], pointer: str) -> None:
    with pytest.raises(error) as refused:
        Intervene.model_validate(params).resolve(published(), MethodLimits())
    assert refused.value.pointer == pointer  # type: ignore[attr-defined]


def test_the_later_layer_is_the_default_one_if_it_follows() -> None:
    assert Intervene(layer="block5_conv1").resolve(published(), MethodLimits()).later == "block5_conv3"
    assert Intervene().resolve(published(), MethodLimits()).later is None
