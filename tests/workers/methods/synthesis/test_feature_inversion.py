from __future__ import annotations

from collections.abc import Generator, Sequence

import keras
import numpy as np
import pytest
from keras import layers

from rendering import text
from schemas.methods.synthesis.feature_inversion import FeatureInversion, FeatureInversionFacts
from schemas.models import Preprocessing
from tests.drawn import drawn as with_pictures
from tests.words_drawn import words_drawn
from tests.workers.engine.support import published
from tests.workers.methods.support import FormulaProbe, batch
from workers.contract.arrays import Float32
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward
from workers.contract.progress import Slice
from workers.contract.synthesis import AscentSpec, AscentState
from workers.engine.probe import KerasProbe
from workers.methods.synthesis import feature_inversion, previews
from workers.methods.synthesis.feature_inversion import InvertedLayer, LayerInversions

TF, CAFFE, TORCH = (Preprocessing.named(mode) for mode in ("tf", "caffe", "torch"))


class AscendingProbe(FormulaProbe):
    """A probe whose ascents have two slices and end in mid-grey. Layer `base/conv` is dead. It remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.specs: list[AscentSpec] = []

    def forward(self, tensor: Float32, layers: Sequence[str] = (), **_: object) -> Forward:
        found = super().forward(tensor, layers).activations
        return Forward({path: values * (path != "base/conv") for path, values in found.items()}, None, None)

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        self.specs.append(spec)
        images = np.full((1, *spec.size, 3), 0.5, np.float32)
        values = np.array([[-4, -2, -1]], np.float32)
        yield AscentState(0, 3, (images,), values[:, :0], np.ones(1, np.bool_))
        yield AscentState(2, 3, (images,), values[:, :2], np.ones(1, np.bool_))
        return AscentState(3, 3, (images,), values, np.ones(1, np.bool_))


def params_of(*paths: str, **changes: object) -> FeatureInversion:
    return FeatureInversion.model_validate({"layer": paths, "steps": 3, **changes})


def finish(run: Generator[Slice, None, LayerInversions]) -> tuple[list[Slice], LayerInversions]:
    slices: list[Slice] = []
    while True:
        try:
            slices.append(next(run))
        except StopIteration as stop:
            return slices, stop.value


def facts(output: Output) -> FeatureInversionFacts:
    assert isinstance(output.facts, FeatureInversionFacts)
    return output.facts


def test_layers_are_inverted_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 0.0)
    probe, tensor = AscendingProbe(), batch(1)
    params = params_of("pool", "base/conv", "conv", objective="dot_cosine", seed=5, total_variation=0.5)
    slices, result = finish(feature_inversion.run(probe, Inputs(tensor), params))
    assert [(spec.objective.kind, spec.objective.layer, spec.size, spec.seed) for spec in probe.specs] == [
        ("dot_cosine", "pool", (4, 6), 5),
        ("dot_cosine", "conv", (4, 6), 5),
    ]
    np.testing.assert_array_equal(probe.specs[0].objective.features, tensor[0].mean(axis=(0, 1)))
    np.testing.assert_array_equal(probe.specs[1].objective.features, tensor[0])
    # After each ascent, a slice ends before the picture is compared with the photo, and another one after it.
    first = [(0, 9, None), (2, 9, -2.0), (3, 9, -1.0), (3, 9, -1.0)]
    assert [(made.step, made.total, made.value) for made in slices] == [*first, (6, 9, None), (8, 9, -2.0), (9, 9, -1.0), (9, 9, -1.0)]
    assert slices[0].preview is not None
    # The model of the formula takes 0-255 unchanged, and its layer is the input, so the picture's activations are 128 everywhere.
    pool, dead, conv = result.layers
    assert conv.error == pytest.approx(np.linalg.norm(128 - tensor[0]) / np.linalg.norm(tensor[0]), rel=1e-5)
    assert conv.cosine == pytest.approx(tensor[0].sum() / np.linalg.norm(tensor[0]) / 72**0.5, rel=1e-5)
    assert (dead.error, dead.cosine, dead.image.any()) == (None, None, False)
    assert pool.error is not None


def test_the_sheet_has_the_photo_first_and_a_cross_for_a_dead_layer() -> None:
    photo = np.zeros((20, 30, 3), np.uint8)
    photo[3, 5] = [250, 10, 20]
    image = np.full((20, 30, 3), 0.25, np.float32)
    image[..., 0] = 1.0
    curve = np.array([-3, -2, -1], np.float32)
    result = LayerInversions(
        photo, (InvertedLayer("a/conv", image, curve, 0.5, 0.75), InvertedLayer("b", image * 0, curve * 0, None, None))
    )
    output = feature_inversion.draw(result, None, params_of("a/conv", "b", columns=3))
    drawn = {artifact.name: artifact.image for artifact in with_pictures(output).artifacts if isinstance(artifact, Picture)}
    assert list(drawn) == ["sheet", "inversion.a.conv", "inversion.b"]
    assert (drawn["inversion.a.conv"] == [255, 64, 64]).all()
    dead = drawn["inversion.b"]
    assert dead.shape == (20, 30, 3)
    assert dead[0, 0, 0] > dead[0, 10, 0]  # a diagonal on dark grey
    sheet = drawn["sheet"]
    assert sheet.shape[1] == 3 * 30 + 2 * 4
    np.testing.assert_array_equal(sheet[-20:, :30], photo)
    np.testing.assert_array_equal(sheet[-20:, 34:64], drawn["inversion.a.conv"])
    np.testing.assert_array_equal(sheet[-20:, 68:], dead)
    arrays = {artifact.name: artifact.array for artifact in output.artifacts if isinstance(artifact, Array)}
    np.testing.assert_array_equal(arrays["curves"], [[-3, -2, -1], [0, 0, 0]])
    assert arrays["images"].shape == (2, 20, 30, 3)
    dead_layer, far_layer = output.warnings
    assert dead_layer == "All activations for this photo are 0 at b, so there is nothing to invert."
    assert far_layer.startswith("After 3 steps the images are still far from the photo's activation at a/conv (0.50).")
    assert [layer.model_dump() for layer in facts(output).layers] == [
        {"layer": "a/conv", "objective": -1.0, "error": 0.5, "cosine": 0.75},
        {"layer": "b", "objective": 0.0, "error": None, "cosine": None},
    ]


@pytest.mark.parametrize(("objective", "error"), [("l2", 0.3), ("dot_cosine", 0.9)])
def test_an_image_that_is_near_or_that_is_a_caricature_has_no_warning(objective: str, error: float) -> None:
    photo, image = np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 0.25, np.float32)
    result = LayerInversions(photo, (InvertedLayer("conv", image, np.zeros(3, np.float32), error, 0.75),))
    assert feature_inversion.draw(result, None, params_of("conv", objective=objective)).warnings == ()


def test_distances_are_worked_by_hand() -> None:
    a, f = np.array([[3, 0], [0, 4]], np.float32), np.array([[3, 4], [0, 0]], np.float32)
    error, cosine = feature_inversion.compared(a, f)
    assert error == pytest.approx(32**0.5 / 5)
    assert cosine == pytest.approx(9 / 25)
    assert feature_inversion.compared(a * 0, f) == (1.0, None)


@pytest.mark.parametrize(("preprocessing", "contrast"), [(TF, 1.0), (CAFFE, 2 / 255), (Preprocessing(), 2 / 255)])
def test_the_penalty_weighs_alike_in_any_units(preprocessing: Preprocessing, contrast: float) -> None:
    """From black to white it is 2 with tf, as in the parameter, and 255 with caffe and without preprocessing."""
    features = np.ones((2, 3, 4), np.float32)
    spec = feature_inversion.spec(params_of("conv", total_variation=0.5), preprocessing, "conv", features, (8, 9))
    assert spec.regularisers.total_variation == pytest.approx(0.5 * contrast)


@pytest.mark.parametrize(("preprocessing", "channels"), [(TF, 3), (CAFFE, 3), (TORCH, 3), (Preprocessing(order="gray"), 3), (TF, 1)])
def test_a_picture_goes_back_into_the_model(preprocessing: Preprocessing, channels: int) -> None:
    planes = 1 if preprocessing.order == "gray" else channels
    image = np.random.default_rng(0).uniform(size=(5, 7, planes)).astype(np.float32)
    x = feature_inversion.as_input(image, preprocessing, channels)
    assert x.shape == (5, 7, channels)
    back = x * np.array(preprocessing.std) + np.array(preprocessing.mean)
    if preprocessing.order == "bgr":
        back = back[..., ::-1]
    np.testing.assert_allclose(back, np.rint(image * 255) * np.ones(channels), atol=1e-3)


def invertible() -> KerasProbe:
    """Return a model: `mixed` has four mixtures from which the colours can be computed, `pooled` their means over 4 × 4, `dead` zeros."""
    photo = keras.Input((12, 20, 3), name="photo")
    mixed = layers.Conv2D(4, 1, name="mixed")(photo)
    pooled = layers.AveragePooling2D(4, name="pooled")(mixed)
    model = keras.Model(photo, layers.ReLU(name="dead")(layers.Conv2D(2, 1, name="negative")(pooled)))
    rng = np.random.default_rng(3)
    model.get_layer("mixed").set_weights([rng.normal(size=(1, 1, 3, 4)).astype(np.float32), np.zeros(4, np.float32)])
    model.get_layer("negative").set_weights([np.zeros((1, 1, 4, 2), np.float32), np.full(2, -1, np.float32)])
    described = published(model)
    return KerasProbe(model, described.model_copy(update={"description": described.description.model_copy(update={"preprocessing": TF})}))


@pytest.mark.slow
def test_what_a_layer_keeps_comes_back_and_what_it_loses_does_not() -> None:
    probe = invertible()
    rng = np.random.default_rng(5)
    photo = np.repeat(np.repeat(rng.uniform(0.2, 0.8, (6, 10, 3)), 2, axis=0), 2, axis=1).astype(np.float32)
    inputs = Inputs(photo[None] * 2 - 1)
    params = params_of("mixed", "pooled", "dead", steps=400, total_variation=0.0)
    _, result = finish(feature_inversion.run(probe, inputs, params))
    mixed, pooled, dead = result.layers
    assert np.abs(mixed.image - photo).mean() < 0.02
    assert np.abs(pooled.image - photo).mean() > 0.05
    blocks = pooled.image.reshape(3, 4, 5, 4, 3).mean(axis=(1, 3)) - photo.reshape(3, 4, 5, 4, 3).mean(axis=(1, 3))
    assert np.abs(blocks).mean() < 0.02
    for layer in (mixed, pooled):
        assert layer.error is not None
        assert layer.cosine is not None
        assert layer.error < 0.1
        assert layer.cosine > 0.99
        assert layer.values[-1] > 0.05 * layer.values[0]  # the objective rises from below towards 0
    assert dead.error is None
    np.testing.assert_allclose(result.photo, photo * 255, atol=0.51)
    again = finish(feature_inversion.run(probe, inputs, params))[1]
    np.testing.assert_array_equal(again.layers[0].image, mixed.image)
    other = finish(feature_inversion.run(probe, inputs, params.changed(seed=1)))[1]
    assert np.abs(other.layers[1].image - pooled.image).max() > 1e-3


def test_the_residual_of_an_annotated_sheet_has_a_line_of_its_own() -> None:
    """In one line with a long path, it would be cut off."""
    photo, image, path = np.zeros((64, 90, 3), np.uint8), np.full((64, 90, 3), 0.25, np.float32), "a_very_long_path_of_a_layer"
    result = LayerInversions(photo, (InvertedLayer(path, image, np.zeros(3, np.float32), 0.12, 0.75),))
    sheets: dict[bool, np.ndarray] = {}
    for annotate in (True, False):
        with words_drawn() as words:
            (sheets[annotate], *_) = (
                each.image
                for each in feature_inversion.draw(result, None, params_of(path, columns=2, annotate=annotate)).artifacts
                if isinstance(each, Picture)
            )
        assert ("residual 0.12" in words) == annotate
        np.testing.assert_array_equal(sheets[annotate][-64:, :90], photo)
    assert sheets[False].shape[0] == 64 + text.line_height(8)
    assert sheets[True].shape[0] == 64 + 2 * text.line_height(11)
