"""Every attribution method, and every method that takes several images, on every kind of model.

The models are loaded from files, as workers load them. Each method gives a map of the right size that shows something, or scores and
patches that agree with the model, or a clear error. A new attribution method is tried without a change here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from catalog.catalog import load_catalog
from rendering.photo import Photo
from schemas.errors import UnsuitableLayer, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.base import CamParams
from schemas.methods.cam.finer_layers import finer_layers
from schemas.methods.target_layer import TargetLayerParams
from tests.contract.cases import ATTENTION_METHODS
from tests.contract.model_kinds import KINDS, ModelKind
from tests.drawn import drawn
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Prepared
from workers.methods import implementation
from workers.models.pool import LoadedModel, ModelPool

# The layers of keras.io's example have no `build`, about which Keras warns when it loads them.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*does not have a `build:UserWarning")]

MAP = ("map", "map.{method}")
ATTRIBUTIONS = [name for name, params in METHODS.items() if any(spec.name in MAP for spec in params.card.artifacts)]
# These methods judge the map of another one; here, that of their default.
JUDGED = {"faithfulness": "grad_cam", "map_measures": "grad_cam"}
# Parameters that make slow methods quick.
QUICK: dict[str, dict[str, Any]] = {
    "activation_atlas": {"columns": 2, "per_image": 9, "parametrisation": "pixel", "steps": 2, "transforms": {}},
    "fem": {"sigmas": 0.5},  # small maps have no place that is further from the mean
    "rise": {"masks": 60, "cells": 3},
    "lime": {"samples": 60, "segments": 9},
    "kernel_shap": {"samples": 60, "segments": 9},
    "partition_shap": {"samples": 40},
    "sobol": {"designs": 4, "cells": 3},
    "hsic": {"masks": 40, "cells": 3},
    "smooth_grad": {"samples": 3},
    "gradient_shap": {"samples": 4},
    "blur_ig": {"steps": 4},
    "xrai": {"steps": 3, "scales": [500]},
    "guided_ig": {"steps": 4},
    "integrated_gradients": {"steps": 6},
    "faithfulness": {"steps": 6, "randomisations": 2},
    "map_measures": {"measures": ["road", "max_sensitivity", "sparseness"], "disturbances": 1},
}
# Between the score and the target layer of these kinds, every layer has a rule of relevance.
RULES_SUFFICE = (KINDS["own_vit"], KINDS["vision_transformer"])
# Blocks of colour, because noise would become grey when it is resized to 13 × 9.
PHOTO = np.random.default_rng(5).integers(0, 256, (5, 6, 3), np.uint8).repeat(9, axis=0).repeat(10, axis=1)
# The last photo has another size, if the model takes inputs of any size.
PHOTOS = (PHOTO, PHOTO[::-1, ::-1], 255 - PHOTO, PHOTO.transpose(1, 0, 2))


IDS = tuple(f"img_{number:064x}" for number in range(len(PHOTOS)))


def run(
    model: LoadedModel,
    method: str,
    image: np.ndarray = PHOTO,
    several: Sequence[Prepared] = (),
    sets: Mapping[str, tuple[tuple[Prepared, ...], ...]] = MappingProxyType({}),
    **given: Any,
) -> Output:
    example = METHODS[method].card.example
    if model.published.description.head_at(given.get("output")).classes is None:
        example = {name: value for name, value in example.items() if name != "class_index"}
    params = METHODS[method].model_validate({**example, **given}).resolve(model.published, MethodLimits())
    tensor, placement = model.prepare(image)
    how, photo = implementation(method), Photo(image, placement)
    if how.lane == "fast":
        (result,) = how.run(model.probe, Inputs(tensor[None]), [params])
        return drawn(how.draw(result, photo, params), photo)
    slices = how.run(model.probe, Inputs(tensor[None], image, tuple(several), sets=sets), params)
    while True:
        try:
            next(slices)
        except StopIteration as stop:
            return drawn(how.draw(stop.value, photo, params), photo)


def given(kind: ModelKind, method: str) -> dict[str, Any]:
    """Return the parameters that the kind of model needs, as far as the method has them."""
    fields = METHODS[method].model_fields
    asked = {
        "layer": kind.layer,
        "output": kind.output,
        "first_rule": kind.first_rule,
        "options": {"layer": kind.layer},
        **QUICK.get(method, {}),
    }
    return {name: value for name, value in asked.items() if name in fields and value is not None}


def expected_error(kind: ModelKind, method: str) -> tuple[str, str] | None:
    params = METHODS[JUDGED.get(method, method)]
    if method in ATTENTION_METHODS and (kind.no_class is None or "class_index" not in params.model_fields):
        return kind.no_attention
    explains_a_class = "class_index" in params.model_fields or issubclass(params, CamParams)
    if kind.no_class is not None and explains_a_class and not issubclass(params, ActivationCamParams):
        return kind.no_class
    if method == "lrp":
        return kind.no_relevance
    if method == "deep_lift" and kind.no_relevance:
        return kind.no_relevance[0], kind.no_relevance[1].replace("relevance propagation", "DeepLIFT")
    no_excitation = kind.no_excitation or kind.no_relevance
    if method == "excitation_backprop" and no_excitation and not kind.no_map and kind not in RULES_SUFFICE:
        return no_excitation
    return kind.no_map if "layer" in params.model_fields else None


def map_size(model: LoadedModel, kind: ModelKind, method: str) -> tuple[int, int]:
    """Return the height and width of the method's map: those of the target layer for a CAM, and those of the input for other methods."""
    tensor, _ = model.prepare(PHOTO)
    params = METHODS[JUDGED.get(method, method)]
    if method in ATTENTION_METHODS:
        grid = [layer.token_grid for layer in model.published.description.layers if layer.kind == "attention"][-1]
        assert grid is not None
        return grid.height, grid.width
    if not issubclass(params, (CamParams, TargetLayerParams)):
        return tensor.shape[:2]
    description = model.published.description
    explains_a_target = kind.no_class is not None and issubclass(params, CamParams) and not issubclass(params, ActivationCamParams)
    own = description.layer_for_targets(kind.output) if explains_a_target else description.default_layer
    path = kind.layer or own or ""
    if method == "refine_cam" and kind.layer is None:  # its map has the size of the finest layer that it chooses
        path = (path, *finer_layers(description, path, 2))[-1]
    grid = model.published.description.layer_at(path).token_grid
    if grid is not None:
        return grid.height, grid.width
    return model.probe.forward(tensor[None], [path]).activations[path].shape[1:3]


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_every_attribution_on_every_kind(model: LoadedModel, method: str) -> None:
    kind = KINDS[model.name]
    error = expected_error(kind, method)
    if error is not None:
        with pytest.raises(VisualizationError, match=error[1]) as raised:
            run(model, method, **given(kind, method))
        assert raised.value.code == error[0]
        return
    positive = {"class_index": 1} if model.published.description.head == "binary" and "class_index" in METHODS[method].model_fields else {}
    output = run(model, method, **given(kind, method), **positive)
    maps = [artifact for artifact in output.artifacts if isinstance(artifact, Array) and artifact.name.split(".")[0] == "map"]
    assert maps
    for found in maps:
        if found.name == "map" or method != "refine_cam":  # its other maps are those of coarser layers
            assert found.array.shape == map_size(model, kind, method), found.name
        assert np.isfinite(found.array).all(), found.name
        assert np.ptp(found.array) > 0, found.name
    pictures = [artifact for artifact in output.artifacts if isinstance(artifact, Picture)]
    assert all(np.ptp(picture.image) > 0 for picture in pictures)
    assert not any("drawn as zeros" in warning for warning in output.warnings)


def photos(model: LoadedModel) -> list[Prepared]:
    several = []
    for image in PHOTOS:
        tensor, placement = model.prepare(image)
        several.append(Prepared(Photo(image, placement), tensor))
    return several


def arrays(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.array for artifact in output.artifacts if isinstance(artifact, Array)}


def test_a_batch_is_answered_as_each_photo_is(model: LoadedModel) -> None:
    kind = KINDS[model.name]
    asked = {"images": IDS, **given(kind, "predict_batch")}
    if refusal := kind.no_scores or kind.no_class:
        with pytest.raises(VisualizationError, match=refusal[1]):
            run(model, "predict_batch", several=photos(model), **asked)
        return
    together = arrays(run(model, "predict_batch", several=photos(model), **asked))
    alone = [arrays(run(model, "predict", image, **given(kind, "predict"))) for image in PHOTOS]
    for name, values in together.items():
        np.testing.assert_allclose(values, [found[name] for found in alone], rtol=2e-3, atol=1e-5, err_msg=name)
    assert np.ptp(together["logits"], axis=0).max() > 0


def test_patches_are_of_the_strongest_positions(model: LoadedModel) -> None:
    kind, several = KINDS[model.name], photos(model)
    asked = {"images": IDS, "channels": [0, 1], "count": 4, **given(kind, "top_patches")}
    if kind.no_field or kind.no_map:
        with pytest.raises(UnsuitableLayer, match="has no receptive field" if kind.no_field else kind.no_map and kind.no_map[1]):
            run(model, "top_patches", several=several, **asked)
        return
    output = run(model, "top_patches", several=several, **asked)
    path = kind.layer or kind.default or ""
    for channel, values, positions in zip((0, 1), *arrays(output).values(), strict=True):
        maps = [model.probe.forward(each.tensor[None], [path]).activations[path][0, ..., channel] for each in several]
        best = sorted((float(found.max()) for found in maps), reverse=True)
        lowest = min(float(found.min()) for found in maps)
        expected = [value for value in best if value > lowest]
        np.testing.assert_allclose(values[: len(expected)], expected, rtol=2e-3)
        for value, (number, y, x) in zip(values[: len(expected)], positions, strict=False):
            assert maps[number][y, x] == pytest.approx(float(value), rel=2e-3)
    assert output.facts.channels[0].patches or output.facts.channels[1].patches  # type: ignore[attr-defined]


def test_default_layers_are_those_of_the_table(model: LoadedModel) -> None:
    assert model.published.description.default_layer == KINDS[model.name].default


def _bright_channels_first() -> keras.Model:
    photo = keras.Input((3, 12, 8), name="photo")
    x = layers.Conv2D(1, 2, strides=2, kernel_initializer="ones", data_format="channels_first", name="bright")(photo)
    return keras.Model(photo, layers.Dense(2, kernel_initializer="ones")(layers.Flatten()(x)))


def _bright_tokens() -> keras.Model:
    photo = keras.Input((12, 8, 3), name="photo")
    x = layers.Conv2D(1, 2, strides=2, kernel_initializer="ones", name="patches")(photo)
    x = layers.Activation("linear", name="bright")(layers.ZeroPadding1D((1, 0))(layers.Reshape((24, 1))(x)))
    return keras.Model(photo, layers.Dense(2, kernel_initializer="ones")(layers.Flatten()(x)))


@pytest.mark.parametrize("build", [_bright_channels_first, _bright_tokens])
@pytest.mark.parametrize("method", ["grad_cam", "layer_cam", "eigen_cam", "ablation_cam"])
def test_the_map_lies_where_the_photo_is(build: Callable[[], keras.Model], method: str, tmp_path: Path) -> None:
    """The layer computes brightness, and the photo is bright at the top right. The map is neither turned nor mirrored."""
    build().save(tmp_path / "bright.keras")
    photo = np.zeros((24, 16, 3), np.uint8)
    photo[:4, 12:] = 255
    loaded = ModelPool(load_catalog(tmp_path / "models.toml", tmp_path), 10**12).get("bright")
    output = run(loaded, method, photo, layer="bright")
    (found,) = (artifact.array for artifact in output.artifacts if artifact.name == "map" and isinstance(artifact, Array))
    expected = np.zeros((6, 4))
    expected[0, 3] = 1
    np.testing.assert_array_equal(found > found.max() / 2, expected)
