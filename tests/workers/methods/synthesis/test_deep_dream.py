from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from PIL import Image

from schemas.methods.synthesis.deep_dream import DeepDream, DeepDreamFacts, DreamLayer
from schemas.models import Preprocessing
from tests.workers.methods.support import FormulaProbe
from workers.contract.artifacts import Array, Picture
from workers.contract.colours import normalise
from workers.contract.inputs import Inputs
from workers.contract.progress import Slice
from workers.contract.synthesis import DreamSpec, DreamState
from workers.methods.synthesis import deep_dream, previews
from workers.methods.synthesis.deep_dream import DreamedPhoto

TF, CAFFE, TORCH = (Preprocessing.named(mode) for mode in ("tf", "caffe", "torch"))


class DreamingProbe(FormulaProbe):
    """A probe that dreams two slices and ends with an image of one colour, partly darker than black. It remembers what it was asked for."""

    spec: DreamSpec

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        self.spec = spec
        yield DreamState(1, 4, spec.image, ((1.0,),), True)
        yield DreamState(2, 4, spec.image, ((1.0, 2.0), (3.0,)), True)
        return DreamState(3, 4, spec.image * 0 + np.array([0.6, -3, 3], np.float32), ((1.0, 2.0), (4.5,)), True)


def params_of(**changes: object) -> DeepDream:
    return DeepDream.model_validate({"layers": {"conv": 2.0}, "octaves": 2, "steps": 2, "size": 40, **changes})


def finish(run: Generator[Slice, None, DreamedPhoto]) -> tuple[list[Slice], DreamedPhoto]:
    slices: list[Slice] = []
    while True:
        try:
            slices.append(next(run))
        except StopIteration as stop:
            return slices, stop.value


def test_run_hands_the_photo_down_at_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 0.0)
    image = np.random.default_rng(0).integers(0, 256, (21, 34, 3), np.uint8)
    probe = DreamingProbe()
    slices, dream = finish(
        deep_dream.run(probe, Inputs(np.zeros((1, 4, 6, 3), np.float32), image), params_of(jitter=3, seed=5, max_loss=9))
    )
    spec = probe.spec
    assert (spec.shapes, spec.steps, spec.jitter, spec.seed, spec.max_loss) == (((15, 24), (21, 34)), 2, 3, 5, 9)
    assert spec.layers == (("conv", 2.0),)
    np.testing.assert_allclose(spec.image, image / 127.5 - 1, atol=1e-6)
    # The model of the formula takes 0–255, which is 127.5 · pixel + 127.5.
    assert (spec.scale, spec.offset) == ((127.5,), (127.5,))
    assert [(made.step, made.total, made.value) for made in slices] == [(1, 4, 1.0), (2, 4, 3.0)]
    assert slices[0].preview is not None
    np.testing.assert_array_equal(slices[0].preview, image)
    output = deep_dream.draw(dream, None, params_of(max_loss=4))
    assert output.line == "2 × conv"
    assert isinstance(output.facts, DeepDreamFacts)
    assert output.facts.layers == (DreamLayer(layer="conv", weight=2.0),)
    assert [octave.steps for octave in output.facts.octaves] == [2, 1]
    assert output.facts.octaves[1].model_dump() == {"height": 21, "width": 34, "steps": 1, "first_loss": 4.5, "last_loss": 4.5}
    curve = next(artifact.array for artifact in output.artifacts if isinstance(artifact, Array) and artifact.name == "curve")
    np.testing.assert_array_equal(curve, np.array([1, 2, 4.5], np.float32))
    picture = next(artifact for artifact in output.artifacts if isinstance(artifact, Picture))
    assert (picture.image == [204, 0, 255]).all()


@pytest.mark.parametrize("preprocessing", [TF, CAFFE, TORCH, Preprocessing(mode="custom", mean=(100.0,), std=(127.5,))])
def test_the_model_sees_the_photo_as_its_preprocessing_declares(preprocessing: Preprocessing) -> None:
    image = np.random.default_rng(1).integers(0, 256, (5, 8, 3), np.uint8)
    x = deep_dream.dream_input(image, (5, 8), preprocessing, 3)
    spec = deep_dream.spec(params_of(), preprocessing, x, ((5, 8),))
    seen = x * np.array(spec.scale, np.float32) + np.array(spec.offset, np.float32)
    np.testing.assert_allclose(seen, normalise(image, preprocessing), atol=1e-3)
    np.testing.assert_array_equal(deep_dream.dream_picture(x, preprocessing), image)


def test_a_grey_model_gets_luma_and_gives_a_grey_picture() -> None:
    image = np.random.default_rng(1).integers(0, 256, (5, 8, 3), np.uint8)
    luma = np.asarray(Image.fromarray(image).convert("L"))
    x = deep_dream.dream_input(image, (5, 8), TF, 1)
    assert x.shape == (5, 8, 1)
    picture = deep_dream.dream_picture(x, TF)
    assert np.abs(picture.astype(int) - luma[..., None]).max() <= 1


@pytest.mark.parametrize(
    ("photo", "expected"),
    [((300, 451), (300, 451)), ((100, 60), (224, 134)), ((1000, 2000), (256, 512)), ((1, 900), (1, 512)), ((512, 512), (512, 512))],
)
def test_a_photo_is_enlarged_to_the_models_input_and_bounded(photo: tuple[int, int], expected: tuple[int, int]) -> None:
    assert deep_dream.picture_size(photo, at_least=224, at_most=512) == expected


def test_a_bound_is_kept_before_all() -> None:
    assert deep_dream.picture_size((100, 60), at_least=224, at_most=64) == (64, 38)


def test_octaves_are_keras_ios() -> None:
    """The log of keras.io's example, for a photo of 640 × 960, has the sizes (326, 489), (457, 685), (640, 960)."""
    assert deep_dream.octaves((640, 960), 3, 1.4) == ((326, 489), (457, 685), (640, 960))
    assert deep_dream.octaves((3, 2), 3, 2.0) == ((1, 1), (1, 1), (3, 2))


def test_shrinking_averages_and_keeps_the_place() -> None:
    image = np.zeros((8, 12, 3), np.uint8)
    image[:4, 6:] = [255, 0, 0]
    small = deep_dream.dream_picture(deep_dream.dream_input(image, (2, 4), CAFFE, 3), CAFFE)
    np.testing.assert_array_equal(small[..., 0], [[0, 0, 255, 255], [0, 0, 0, 0]])
    assert not small[..., 1:].any()


def test_the_line_below_the_title_keeps_the_names_of_layers() -> None:
    image = np.zeros((4, 6, 3), np.float32)
    dream = DreamedPhoto(image, ((4, 6),), ((1.0, 3.0),), True, TF)
    assert deep_dream.draw(dream, None, params_of(layers={"mixed-4c": -0.5, "conv": 2.0})).line == "−0.5 × mixed-4c + 2 × conv"


def test_warnings_say_what_went_otherwise() -> None:
    image = np.zeros((4, 6, 3), np.float32)
    dead = DreamedPhoto(image, ((2, 3), (4, 6)), ((0.0, 0.0), (0.0, 0.0)), False, TF)
    (warning,) = deep_dream.draw(dead, None, params_of()).warnings
    assert "No gradient" in warning
    ended = DreamedPhoto(image, ((2, 3), (4, 6)), ((1.0, 3.0), (4.0,)), True, TF)
    (warning,) = deep_dream.draw(ended, None, params_of(max_loss=3.5)).warnings
    assert warning == "Octave 2 ended before 2 steps because the loss was above max_loss (3.5)."
    fine = DreamedPhoto(image, ((4, 6),), ((1.0, 3.0),), True, TF)
    assert deep_dream.draw(fine, None, params_of()).warnings == ()
