"""Methods that no library has, written again with torch's own functions: layers, kernels, dreams and inversions."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import torch

from schemas.limits import MethodLimits
from schemas.methods.inspection.sandbox import SANDBOX_PRESETS, AveragePoolStage, ConvStage, MaxPoolStage, ReluStage, Sandbox, SandboxStage
from schemas.methods.synthesis.deep_dream import DeepDream
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from tests.parity.inversion import likeness, total_variation
from tests.parity.twins import LAYERS, SIZE, TOLERANCE, channels_first, channels_last, difference, finished, photos, twins
from workers.contract.inputs import Inputs
from workers.contract.synthesis import AscentSpec, Objective, Start
from workers.engine.ascent.parametrisations import start_values
from workers.methods.inspection import sandbox
from workers.methods.inspection.weights import as_kernels
from workers.methods.synthesis import deep_dream

functional = torch.nn.functional


# Layers


AVERAGES = Sandbox.model_validate({"stages": [{"conv": {"kernel": 4}}, {"average_pool": {"size": 3}}]}).stages or ()


@pytest.mark.parametrize("stages", [*SANDBOX_PRESETS.values(), AVERAGES])
def test_sandbox(stages: tuple[SandboxStage, ...]) -> None:
    """For every figure of the article, at its photo's size, the output of each stage is compared."""
    image = np.random.default_rng(5).integers(0, 256, (320, 400, 3), np.uint8)
    expected = channels_first(image[None].astype(np.float32))
    for passed in sandbox.stage_outputs(image, stages, seed=3):
        match passed.stage:
            case ConvStage():
                assert passed.kernel is not None
                expected = functional.conv2d(expected, torch_kernel(passed.kernel))
            case ReluStage():
                expected = functional.relu(expected)
            case MaxPoolStage(max_pool=pool):
                expected = functional.max_pool2d(expected, pool.size)
            case AveragePoolStage(average_pool=pool):
                expected = functional.avg_pool2d(expected, pool.size)
        assert difference(passed.maps[None], channels_last(expected)) < TOLERANCE


def torch_kernel(kernel: np.ndarray) -> torch.Tensor:
    """Return kernels (h, w, inputs, filters) in torch's order (filters, inputs, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))


@pytest.mark.parametrize(
    ("layer", "groups"),
    [
        (keras.layers.Conv2D(6, (3, 2)), 1),
        (keras.layers.Conv2D(6, (3, 2), groups=2), 2),
        (keras.layers.DepthwiseConv2D((3, 2), depth_multiplier=2), 4),
        (keras.layers.Conv2DTranspose(6, (3, 2)), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else str(value),
)
def test_kernels_as_they_are_drawn(layer: keras.Layer, groups: int) -> None:
    """The arrays of `weights`, brought to torch's layout, turn the layer's input into its output, channel by channel."""
    x = np.random.default_rng(2).normal(size=(2, 9, 7, 4)).astype(np.float32)
    answer = np.asarray(layer(x))
    kernel, bias = (np.asarray(weight) for weight in layer.get_weights())
    drawn = torch_kernel(as_kernels("kernel", type(layer).__name__, kernel))
    if isinstance(layer, keras.layers.Conv2DTranspose):
        expected = functional.conv_transpose2d(channels_first(x), drawn.transpose(0, 1), torch.from_numpy(bias))
    else:
        expected = functional.conv2d(channels_first(x), drawn, torch.from_numpy(bias), groups=groups)
    assert difference(answer, channels_last(expected)) < TOLERANCE


# Images that are moved by gradients


@pytest.mark.parametrize("layers", [{"conv1": 1.0, "relu2": 2.5}, {"conv2": 1.5}])
def test_deep_dream(layers: dict[str, float]) -> None:
    """keras.io's example, from the photo through the octaves, with the detail put back, to the picture."""
    photo = np.random.default_rng(8).integers(0, 256, (40, 57, 3), np.uint8)
    params = DeepDream(layers=layers, octaves=3, octave_scale=1.4, steps=5, step_size=0.02).resolve(twins().probe.published, MethodLimits())
    dream = finished(deep_dream.run(twins().probe, Inputs(photos()[:1], photo), params))

    def resized(x: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
        return functional.interpolate(x, shape, mode="bilinear", align_corners=False)

    original = channels_first(photo[None].astype(np.float32)) / 127.5 - 1
    shapes = [(int(40 / 1.4**octave), int(57 / 1.4**octave)) for octave in (2, 1, 0)]
    x, smaller, losses = original, resized(original, shapes[0]), []
    for shape in shapes:
        x = resized(x, shape)
        for _ in range(5):
            x = x.detach().requires_grad_()
            loss = torch.zeros(())
            answers = twins().torch.answers(x)
            for path, weight in layers.items():
                activations = answers[path]
                loss = loss + weight * activations[:, :, 2:-2, 2:-2].square().sum() / activations.numel()
            (gradient,) = torch.autograd.grad(loss, x)
            x = x.detach() + 0.02 * gradient / gradient.abs().mean().clamp(min=1e-6)
            losses.append(loss.item())
        x = x + resized(original, shape) - resized(smaller, shape)
        smaller = resized(original, shape)
    assert (dream.shapes, len(losses)) == (tuple(shapes), 15)
    assert difference(np.concatenate(dream.losses), np.array(losses)) < TOLERANCE
    assert difference(dream.image[None], channels_last(x)) < TOLERANCE
    assert difference(channels_last(original), channels_last(x)) > 0.05


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize("kind", ["l2", "dot_cosine"])
def test_feature_inversion_by_plain_ascent(kind: str, path: str) -> None:
    """The value and the gradient of the objective with its penalty are compared at the start, and then after some steps."""
    features = twins().torch.answers(channels_first(photos()[:1]))[path].detach()
    spec = AscentSpec(
        objective=Objective(kind, path, features=channels_last(features)[0]),
        parametrisation="pixel",
        size=SIZE,
        steps=1,
        learning_rate=50.0,
        optimizer="ascent",
        gradient_norm="none",
        start=Start("uniform", -1, 1),
        transforms=Transforms(),
        regularisers=Regularisers(total_variation=0.05),
        seed=9,
    )
    begin = channels_first(start_values(spec.start, (*SIZE, 3), spec.seed, [0]))

    def ascended(steps: int, rate: float) -> tuple[list[float], torch.Tensor]:
        x, values = begin, []
        for _ in range(steps):
            x = x.detach().requires_grad_()
            value = likeness(twins().torch.answers(x)[path], features, kind)
            (gradient,) = torch.autograd.grad(value - 0.05 * total_variation(x), x)
            x, values = x + rate * gradient, [*values, value.item()]
        return values, x

    once = finished(twins().probe.ascend(spec))
    (value,), moved = ascended(1, 50.0)
    assert once.values[0, 0] == pytest.approx(value, rel=TOLERANCE)
    start = channels_last(begin)
    assert difference((once.images - start) / 50, (channels_last(moved) - start) / 50) < TOLERANCE
    many = finished(twins().probe.ascend(replace(spec, steps=10, learning_rate=2.0)))
    values, moved = ascended(10, 2.0)
    assert difference(many.values[0], np.array(values)) < TOLERANCE
    assert difference(many.images, channels_last(moved)) < TOLERANCE
    assert many.values[0, -1] > many.values[0, 0]
