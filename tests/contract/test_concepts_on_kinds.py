"""The methods of concepts on every kind of model. The models are those of `test_model_kinds`."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import UnsuitableLayer, VisualizationError
from tests.contract.test_model_kinds import IDS, KINDS, arrays, given, photos, run
from workers.contract.inputs import Prepared
from workers.methods.token_maps import to_map
from workers.models.pool import LoadedModel

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


def sets_of(several: list[Prepared]) -> dict[str, tuple[tuple[Prepared, ...], ...]]:
    """Return a concept, which is the first two photos, and three random sets of two photos."""
    return {"concepts": (tuple(several[:2]),), "random_sets": tuple((several[2], several[each]) for each in (3, 1, 0))}


def test_scores_of_concepts(model: LoadedModel) -> None:
    """The derivatives are the products of the gradients with the vectors: their mean over the vectors is that of the mean vector."""
    kind, several = KINDS[model.name], photos(model)
    ids = iter(f"img_{number:064x}" for number in range(99))
    sets = {name: [{"name": name, "images": [next(ids), next(ids)]} for _ in each] for name, each in sets_of(several).items()}
    asked = {"images": IDS, **given(kind, "tcav"), **sets, "class_index": 0}
    refusal = kind.no_class or kind.no_scores or (kind.no_map if kind.layer is None and kind.default is None else None)
    if refusal or model.name == "two_outputs_second":
        with pytest.raises(VisualizationError) as refused:
            run(model, "tcav", several=several, sets=sets_of(several), **asked)
        assert refused.value.code in {"unknown_class", "unsuitable_layer", "invalid_parameters"}
        return
    output = run(model, "tcav", several=several, sets=sets_of(several), **asked)
    found, path = arrays(output), kind.layer or kind.default or ""
    assert found["scores"].shape == (1, 3)
    assert found["random_scores"].shape == (3,)
    assert found["derivatives"].any()
    mean = found["derivatives"][0].mean(axis=0)
    tensor = several[0].tensor[None]
    own = model.probe.gradients(tensor, path, np.zeros(1, np.int32)).gradients
    vector = found["vectors"][0]
    assert mean[0] == pytest.approx(float((own * vector).sum()), rel=2e-2, abs=1e-3 * float(np.abs(mean).max()))


def test_the_importance_of_concepts(model: LoadedModel) -> None:
    kind, several = KINDS[model.name], photos(model)
    asked = {"images": IDS, **given(kind, "craft"), "concepts": 2, "crop": 0.5, "designs": 16}
    refusal = kind.no_class or kind.no_scores or kind.no_map
    if model.name == "two_outputs_second":  # its layer leads to the second output, and concepts are those of the first
        refusal = ("unsuitable_layer", "no spatial map from which the class score is computed")
    if refusal:
        with pytest.raises(VisualizationError, match=refusal[1]) as refused:
            run(model, "craft", several=several, **asked)
        assert refused.value.code == ("unknown_class" if "class output" in refusal[1] else refusal[0])
        return
    output = run(model, "craft", several=several, **asked)
    found = arrays(output)
    assert found["importances"].shape == (len(several), 2)
    assert np.isfinite(found["importances"]).all()
    assert found["importances"].max() > 0.1
    assert max(found[f"maps.{number}"].max() for number in range(len(several))) == pytest.approx(1)
    assert found["values"].max() == pytest.approx(1)
    assert len(found["crops"]) == len(found["values"]) >= 4 * len(several)


def test_an_atlas_has_the_mean_activations_of_its_cells(model: LoadedModel) -> None:
    kind, several = KINDS[model.name], photos(model)
    own = model.published.description.input
    asked = {"images": IDS, **given(kind, "activation_atlas"), "size": (own.height or 24, own.width or 18)}
    if kind.no_map:
        with pytest.raises(UnsuitableLayer, match=kind.no_map[1]):
            run(model, "activation_atlas", several=several, **asked)
        return
    output = run(model, "activation_atlas", several=several, **asked)
    found, path = arrays(output), kind.layer or kind.default or ""
    maps = [
        to_map(model.probe.forward(each.tensor[None], [path]).activations[path], model.published.description, path)[0] for each in several
    ]
    vectors = np.stack([maps[photo][row, column] for photo, row, column, _ in found["places"]])
    for number, (_, _, count) in enumerate(found["cells"]):
        members = found["places"][:, 3] == number
        assert members.sum() == count
        np.testing.assert_allclose(
            found["vectors"][number], vectors[members].mean(axis=0), rtol=2e-2, atol=2e-3 * float(np.abs(vectors).max())
        )
    assert output.facts.labelled == (model.name in AVERAGED)  # type: ignore[attr-defined]
    zero = int((~found["vectors"].any(axis=1)).sum())  # a cell of zeros has no direction
    crossed = [warning for warning in output.warnings if "crossed" in warning]
    assert crossed == (
        [f"No gradient ever reached the input for {zero} of {len(found['cells'])} cells: these are crossed."] if zero else []
    )
