"""Methods of sets, interventions and adversarial photos on every kind of model: they agree with the model, or name what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo
from schemas.errors import VisualizationError
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from tests.contract.model_kinds import KINDS, ModelKind
from tests.contract.test_model_kinds import IDS, PHOTO, arrays, photos
from tests.workers.methods.linear import driven
from workers.contract.artifacts import Output
from workers.contract.inputs import FurtherModel, Inputs
from workers.methods import implementation
from workers.models.pool import LoadedModel

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*does not have a `build:UserWarning")]

SALIENCY = {"attribution": "saliency"}


def output_of(model: LoadedModel, method: str, **given: Any) -> Output:
    """Run a slow method on the photo of the kinds, and on their photos as a set."""
    asked = METHODS[method].model_validate(given).resolve(model.published, MethodLimits())
    if method == "compare_models":
        asked = asked.resolve_further([model.published], MethodLimits())  # type: ignore[attr-defined]
    tensor, placement = model.prepare(PHOTO)
    photo, several = Photo(PHOTO, placement), tuple(photos(model))
    inputs = Inputs(tensor[None], PHOTO, several, (photo,), further=(FurtherModel(model.probe, several),))
    _, result = driven(implementation(method).run(model.probe, inputs, asked))
    return implementation(method).draw(result, photo, asked)


def refused(model: LoadedModel, method: str, error: tuple[str, str] | None, **given: Any) -> bool:
    """Return whether the kind is refused for this reason, after a check that it is. Without a reason, nothing is checked."""
    if error is None:
        return False
    with pytest.raises(VisualizationError, match=error[1]) as raised:
        output_of(model, method, **given)
    assert raised.value.code == error[0]
    return True


def explains_no_class(model: LoadedModel, output: str | None = None) -> tuple[str, str] | None:
    """Return the error of methods that ask an output, or the first, for classes."""
    return ("unknown_class", "no class") if model.published.description.head_at(output).classes is None else None


def layer_of(kind: ModelKind) -> dict[str, Any]:
    return {} if kind.layer is None else {"layer": kind.layer}


def test_an_intervention_of_nothing_changes_nothing_and_zeros_change_the_scores(model: LoadedModel) -> None:
    kind = KINDS[model.name]
    given = {**layer_of(kind), "output": kind.output}
    if refused(model, "intervene", explains_no_class(model, kind.output), **given) or (kind.no_map and kind.layer is None):
        return
    same = arrays(output_of(model, "intervene", action="scale", factor=1, **given))["logits"]
    np.testing.assert_allclose(same[1], same[0], rtol=2e-2, atol=1e-3 * float(np.abs(same).max()))
    zero = arrays(output_of(model, "intervene", action="zero", **given))
    assert not zero["changed"].any()
    assert not np.allclose(zero["logits"][1], zero["logits"][0], rtol=1e-3)


def test_an_attack_moves_the_answer_down_within_its_bound(model: LoadedModel) -> None:
    if refused(model, "adversarial", explains_no_class(model), **SALIENCY):
        return
    facts = output_of(model, "adversarial", attack="pgd", epsilon=4, steps=4, top=100, **SALIENCY).facts
    first, second = facts.before[:2]  # type: ignore[attr-defined]
    after = {each.class_index: each.logit for each in facts.after}  # type: ignore[attr-defined]
    assert after[first.class_index] - after[second.class_index] < first.logit - second.logit
    assert 0 < facts.change_linf <= 4 + 1e-6  # type: ignore[attr-defined]


def test_a_photo_of_the_set_is_nearest_to_itself(model: LoadedModel) -> None:
    kind = KINDS[model.name]
    if kind.no_map and kind.layer is None:
        return
    output = output_of(model, "nearest", images=IDS, **layer_of(kind))
    assert output.facts.neighbours[0].number == 0  # type: ignore[attr-defined]
    assert output.facts.neighbours[0].distance < 1e-3  # type: ignore[attr-defined]
    places = arrays(output_of(model, "embedding", images=IDS, **layer_of(kind)))["coordinates"]
    assert np.ptp(places[:, 0]) > 0


def test_a_model_agrees_with_itself_about_a_set(model: LoadedModel) -> None:
    if refused(model, "mean_map", explains_no_class(model), images=IDS, **SALIENCY):
        return
    mean = arrays(output_of(model, "mean_map", images=IDS, **SALIENCY))["mean"]
    assert np.isfinite(mean).all()
    assert np.ptp(mean) > 0
    (pair,) = output_of(model, "compare_models", images=IDS, models=["other"], **SALIENCY).facts.pairs  # type: ignore[attr-defined]
    assert pair.same_top_class == 1
    assert pair.mean_rank_correlation > 0.99
