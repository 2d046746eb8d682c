"""The methods of concepts on every kind of model. The models are those of `test_model_kinds`."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import UnsuitableLayer
from tests.contract.test_model_kinds import IDS, KINDS, arrays, given, model, photos, pool, run
from workers.methods.token_maps import to_map
from workers.models.pool import LoadedModel

__all__ = ["model", "pool"]  # these are fixtures

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*does not have a `build:UserWarning")]

# The scores of these kinds depend only on the mean over the layer's positions.
AVERAGED = {
    "any_size",
    "grey",
    "int8",
    "logits_head",
    "multi_label",
    "nested_head",
    "no_dense",
    "own_convnext",
    "shared_model",
    "softmax_activation",
    "softmax_operation",
    "two_inputs",
    "two_outputs",
}


def test_parts_rebuild_the_layer(model: LoadedModel) -> None:
    kind, several = KINDS[model.name], photos(model)
    asked = {"images": IDS, **given(kind, "dff"), "parts": 2, "max_iterations": 300}
    if kind.no_map:
        with pytest.raises(UnsuitableLayer, match=kind.no_map[1]):
            run(model, "dff", several=several, **asked)
        return
    output = run(model, "dff", several=several, **asked)
    path, found = kind.layer or kind.default or "", arrays(output)
    errors, sizes = 0.0, 0.0
    for number, each in enumerate(several):
        (maps,) = to_map(model.probe.forward(each.tensor[None], [path]).activations[path], model.published.description, path)
        rebuilt = np.tensordot(found[f"maps.{number}"], found["vectors"], (0, 0))
        assert rebuilt.shape == maps.shape
        errors += np.square(np.maximum(maps, 0) - rebuilt).sum()
        sizes += np.square(np.maximum(maps, 0)).sum()
    assert output.facts.relative_error == pytest.approx((errors / sizes) ** 0.5, rel=0.02, abs=2e-3)  # type: ignore[attr-defined]
    assert output.facts.relative_error < 0.75  # type: ignore[attr-defined]
    assert output.facts.labelled == (model.name in AVERAGED)  # type: ignore[attr-defined]
