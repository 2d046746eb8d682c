"""The methods of attention on a whole vision transformer, against the same steps in NumPy."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters, NonFinite, UnsuitableLayer, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.models import LayerKind
from tests.contract.cases import examined_model
from tests.schemas.tiny import layer as described
from tests.schemas.tiny import published, transformer
from tests.workers.methods.attention.support import BLOCKS, NumpyVit, photos, tiny_probe, tiny_vit
from tests.zoo import ZOO, seeded
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.engine.probe import KerasProbe
from workers.methods import implementation

PHOTO = Photo(np.full((20, 40, 3), 90, np.uint8), Placement((2, 4), (0, 0, 2, 4), (0, 0, 20, 40)))
PATHS = [f"{name}_attention" for name in BLOCKS]


def run(probe: KerasProbe, method: str, tensor: np.ndarray, **given: Any) -> list[Output]:
    params = METHODS[method].model_validate(given).resolve(probe.published, MethodLimits())
    how = implementation(method)
    results = how.run(probe, Inputs(tensor, photos=(PHOTO,) * len(tensor)), [params] * len(tensor))
    return [how.draw(result, PHOTO, params) for result in results]


def array(output: Output, name: str = "map") -> np.ndarray:
    (found,) = (each.array for each in output.artifacts if isinstance(each, Array) and each.name == name)
    return found


def both(x: np.ndarray) -> np.ndarray:
    return (x + np.eye(3)) / (x + np.eye(3)).sum(axis=-1, keepdims=True)


def test_rollout_follows_all_layers_to_the_class_token() -> None:
    model, probe = tiny_probe()
    reference, tensor = NumpyVit(model), photos()
    for photo, output in zip(tensor, run(probe, "attention_rollout", tensor), strict=True):
        first, second = (reference(photo)[1][path].mean(axis=0) for path in PATHS)
        expected = both(second) @ both(first)
        np.testing.assert_allclose(array(output), expected[:1, 1:], rtol=1e-4)
        assert output.facts.outside == pytest.approx((expected[0, 0],), rel=1e-4)
        assert (output.facts.layers, output.facts.heads, output.facts.tokens) == (tuple(PATHS), (2, 2), 3)
        assert output.facts.class_index == reference(photo)[0].argmax()
    (output, *_) = run(probe, "attention_rollout", tensor, head_fusion="max", query="mean", layers=[PATHS[1]])
    expected = both(reference(tensor[0])[1][PATHS[1]].max(axis=0))
    np.testing.assert_allclose(array(output), expected[1:, 1:].mean(axis=0, keepdims=True), rtol=1e-4)


def test_chefer_and_gradient_rollout_explain_each_class() -> None:
    model, probe = tiny_probe()
    reference, tensor = NumpyVit(model), photos(1)
    _, attention = reference(tensor[0])
    relevance, rolled = [], []
    for class_index in (2, 0):
        own = [attention[path] * reference.gradient(tensor[0], class_index, path) for path in PATHS]
        first, second = (np.eye(3) + np.maximum(each, 0).mean(axis=0) for each in own)
        relevance.append((second @ first)[:1, 1:])
        first, second = (both(np.maximum(each.mean(axis=0), 0)) for each in own)
        rolled.append((second @ first)[:1, 1:])
    for method, expected in (("chefer", relevance), ("gradient_rollout", rolled)):
        (output,) = run(probe, method, tensor, class_index=[2, 0])
        assert [scored.class_index for scored in output.facts.classes] == [2, 0]
        np.testing.assert_allclose(array(output), expected, rtol=2e-3, atol=1e-5)
        (single,) = run(probe, method, tensor, class_index=2)
        np.testing.assert_allclose(array(single), expected[0], rtol=2e-3, atol=1e-5)


@pytest.mark.slow
def test_relevance_explains_a_difference_of_classes() -> None:
    """The gradient of a difference is the difference of the gradients."""
    model, probe = tiny_probe()
    reference, tensor = NumpyVit(model), photos(1)
    (output,) = run(probe, "chefer", tensor, target={"difference": {"of": 2, "from": [0]}})
    _, attention = reference(tensor[0])
    gradients = [reference.gradient(tensor[0], 2, path) - reference.gradient(tensor[0], 0, path) for path in PATHS]
    first, second = (np.eye(3) + np.maximum(attention[path] * own, 0).mean(axis=0) for path, own in zip(PATHS, gradients, strict=True))
    np.testing.assert_allclose(array(output), (second @ first)[:1, 1:], rtol=2e-3, atol=1e-5)
    assert output.facts.target is not None


def test_maps_of_heads_show_who_attends() -> None:
    model, probe = tiny_probe()
    reference, tensor = NumpyVit(model), photos()
    expected = [reference(photo)[1][PATHS[1]] for photo in tensor]
    for attention, output in zip(expected, run(probe, "attention_maps", tensor), strict=True):
        np.testing.assert_allclose(array(output, "attention"), attention[:, :1, 1:], atol=1e-6)
        facts: Any = output.facts
        assert (facts.layer, facts.head_count, facts.tokens, facts.grid, facts.position) == (PATHS[1], 2, 3, (1, 2), None)
        assert [head.outside for head in facts.heads] == pytest.approx(attention[:, 0, 0].tolist(), abs=1e-5)
        assert [head.strongest for head in facts.heads] == [(0, int(row.argmax())) for row in attention[:, 0, 1:]]
        pictures = [each for each in output.artifacts if isinstance(each, Picture)]
        assert [each.primary for each in pictures] == [True]
        assert output.line == "the class token attends"
    (right, *_) = run(probe, "attention_maps", tensor, layer=PATHS[0], heads=[1], query=[10, 39])
    np.testing.assert_allclose(array(right, "attention"), reference(tensor[0])[1][PATHS[0]][1:, 2:, 1:], atol=1e-6)
    assert right.facts.position == (0, 1)
    assert right.line == "the token in row 0, column 1 attends"
    assert [head.head for head in right.facts.heads] == [1]
    (mean, *_) = run(probe, "attention_maps", tensor, heads="mean", query="mean")
    np.testing.assert_allclose(array(mean, "attention"), expected[0].mean(axis=0)[1:, 1:].mean(axis=0, keepdims=True), atol=1e-6)
    assert mean.facts.heads == ()
    assert mean.line == "all tokens of the picture attend (their mean) · mean of 2 heads"


def test_heads_and_points_that_are_not_there_are_refused() -> None:
    _, probe = tiny_probe()
    with pytest.raises(InvalidParameters, match="has 2 heads, so that their numbers go from 0 to 1; got 7"):
        run(probe, "attention_maps", photos(1), heads=[0, 7])
    with pytest.raises(InvalidParameters, match=r"does not see \(5, 300\)") as refused:
        run(probe, "attention_maps", photos(1), query=[5, 300])
    assert refused.value.pointer == "/params/query"


def test_a_head_that_reads_all_tokens_has_the_mean_and_attention_over_a_map_needs_no_grid() -> None:
    photo = keras.Input((6, 4, 3), name="photo")
    x = layers.Conv2D(4, 2, strides=2, name="patches")(photo)
    x = layers.MultiHeadAttention(2, 3, attention_axes=(1, 2), name="attention")(x, x)
    probe, model = examined_model("map", seeded(keras.Model(photo, layers.Dense(3, name="head")(layers.Flatten()(x)))))
    params = METHODS["attention_rollout"].model_validate({}).resolve(model, MethodLimits())
    assert params.model_dump()["query"] == "mean"
    tensor = np.random.default_rng(0).normal(size=(2, 6, 4, 3)).astype(np.float32)
    attention = probe.attentions(tensor, ["attention"]).layers["attention"].reshape(2, 2, 6, 6).mean(axis=1)
    expected = (attention + np.eye(6)).mean(axis=1).reshape(2, 3, 2) / 2
    outputs = run(probe, "attention_rollout", tensor)
    np.testing.assert_allclose([array(output) for output in outputs], expected, rtol=1e-4)


def test_weights_that_are_not_finite_are_named() -> None:
    model = tiny_vit()
    model.get_layer("block1_hidden").bias.assign([np.nan] * 5)
    probe, _ = examined_model("broken", model)
    for method in ("attention_rollout", "chefer"):
        with pytest.raises(NonFinite):
            run(probe, method, photos(1))


@pytest.mark.parametrize("method", ["attention_maps", "attention_rollout", "chefer", "gradient_rollout"])
def test_models_without_attention_on_a_map_are_refused(method: str) -> None:
    def resolved(model: Any, **given: Any) -> None:
        METHODS[method].model_validate(given).resolve(model, MethodLimits())

    where = "layer" if method == "attention_maps" else "layers"
    with pytest.raises(UnsuitableLayer, match=r"has no attention layer.*such as grad_cam"):
        resolved(published())
    with pytest.raises(
        UnsuitableLayer, match=r"'tokens' .* is no attention layer. Layers .*: block1_attention, block2_attention"
    ) as refused:
        resolved(transformer(), **{where: "tokens" if where == "layer" else ["tokens"]})
    assert refused.value.pointer == f"/params/{where}"
    with pytest.raises(InvalidParameters, match="has no class token"):
        resolved(transformer(before=0), query="class_token")
    windows = described("windows", LayerKind.ATTENTION, (4, 6), ("tokens",)).model_copy(update={"type": "MultiHeadAttention"})
    stack = transformer().description.layers
    swin = published(layers=(*stack[:-1], windows, described("predictions", LayerKind.DENSE, (5,), ("windows",))))
    with pytest.raises(UnsuitableLayer, match=r"'windows' .*for example within windows"):
        resolved(swin)
    if where == "layers":
        coarse = windows.model_copy(update={"token_grid": stack[2].token_grid.model_copy(update={"height": 1, "width": 2})})
        with pytest.raises(VisualizationError, match="'block1_attention' and 'windows' have different tokens"):
            resolved(published(layers=(*stack[:-1], coarse, described("predictions", LayerKind.DENSE, (5,), ("windows",)))))
        resolved(swin, layers=["block2_attention"])


def test_networks_of_convolutions_are_refused_by_name() -> None:
    _, model = examined_model("functional", ZOO["functional"]())
    with pytest.raises(UnsuitableLayer, match="Model 'functional' has no attention layer"):
        METHODS["chefer"].model_validate({}).resolve(model, MethodLimits())
