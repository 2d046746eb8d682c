"""The Fourier parametrisation and the objectives are compared with torch-lucent's, from the same spectrum, at even widths.

These differences are known:
- At an odd width, torch-lucent keeps one frequency too many and cuts a column off the image, as Lucid does. We use the ⌊W / 2⌋ + 1
  frequencies of an odd width.
- The objective of a direction is the cosine with it in torch-lucent, position by position. In Lucid and here, it is the product. The
  test compares with `channel_weight`, which is the product's mean over channels.
- The diversity of torch-lucent is taken over all images, and ours over the other images of each.
- torch-lucent has no feature inversion, so the test writes the objective out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import Preprocessing
from tests.parity.inversion import likeness, total_variation
from tests.parity.peers import lucent_colour, lucent_objectives, lucent_spatial, torch
from tests.parity.twins import LAYERS, SIZE, TOLERANCE, channels_first, channels_last, difference, finished, photos, twins
from workers.contract.synthesis import AscentSpec, Objective, Start, Term
from workers.engine.ascent.parametrisations import Fourier, start_values
from workers.methods.synthesis import feature_inversion

SIZES = [(12, 20), (20, 12), (128, 128), (13, 18)]


@pytest.mark.parametrize("size", SIZES)
def test_fourier_images(size: tuple[int, int]) -> None:
    fourier = Fourier(size, 3, Preprocessing())
    spectrum = np.random.default_rng(2).normal(0, 0.5, (2, *fourier.shape)).astype(np.float32)
    (variable,), image = lucent_spatial.fft_image([2, 3, *size])
    assert variable.shape == spectrum.shape
    variable.data = torch.from_numpy(spectrum)
    expected = lucent_colour.to_valid_rgb(image, decorrelate=True)()
    # Both sigmoids get values on either side of 0, so about half of the range is used.
    assert difference(fourier.image(tf.constant(spectrum)).numpy(), channels_last(expected)) < TOLERANCE
    assert channels_last(expected).std() > 0.05


@pytest.mark.parametrize("size", SIZES)
def test_their_gradients(size: tuple[int, int]) -> None:
    """Return the gradient of Σ weight·pixel, by which ascent moves the spectrum."""
    fourier, rng = Fourier(size, 3, Preprocessing()), np.random.default_rng(4)
    spectrum = rng.normal(0, 0.5, (2, *fourier.shape)).astype(np.float32)
    weights = rng.normal(0, 1, (2, *size, 3)).astype(np.float32)
    (variable,), image = lucent_spatial.fft_image([2, 3, *size])
    variable.data = torch.from_numpy(spectrum)
    score = (lucent_colour.to_valid_rgb(image, decorrelate=True)().permute(0, 2, 3, 1) * torch.from_numpy(weights)).sum()
    (expected,) = torch.autograd.grad(score, variable)
    given = tf.constant(spectrum)
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.reduce_sum(fourier.image(given) * weights)
    assert difference(tape.gradient(total, given).numpy(), expected.numpy()) < TOLERANCE


def spec_of(objective: Objective) -> AscentSpec:
    return AscentSpec(
        objective=objective,
        parametrisation="fourier",
        size=SIZE,
        steps=6,
        learning_rate=0.05,
        optimizer="adam",
        gradient_norm="none",
        start=Start("normal", sigma=0.5),
        transforms=Transforms(),
        regularisers=Regularisers(),
        seed=6,
    )


Answers = dict[str, torch.Tensor]
Loss = Callable[[Callable[[str], torch.Tensor]], torch.Tensor]


def by_adam(spec: AscentSpec, score: Callable[[Answers, torch.Tensor], torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """Return `score(answers, x)` of each image at every step (n, steps), and the final images. The start is the one of our ascent."""
    indices = spec.objective.indices or (0,)
    keys = [index + (number << 32 if spec.objective.diversity else 0) for number, index in enumerate(indices)]
    (variable,), image = lucent_spatial.fft_image([len(keys), 3, *SIZE])
    variable.data = torch.from_numpy(start_values(spec.start, Fourier(SIZE, 3, Preprocessing()).shape, spec.seed, keys))
    rgb = lucent_colour.to_valid_rgb(image, decorrelate=True)
    adam, values = torch.optim.Adam([variable], lr=spec.learning_rate), []
    for _ in range(spec.steps):
        adam.zero_grad()
        x = rgb() * 2 - 1
        scores = score(twins().torch.answers(x), x)
        values.append(scores.detach().numpy())
        (-scores.sum()).backward()
        adam.step()
    return np.stack(values, axis=1), channels_last(rgb())


def alone(loss: Callable[..., Loss], answers: Answers, image: int) -> torch.Tensor:
    """Return the value that torch-lucent would raise for one image."""
    return -loss(batch=image)(answers.__getitem__)


K = 10  # channels of conv2 and relu2
DIRECTION = {2: 1.0, 7: -0.5, 4: 2.0}
OBJECTIVES: dict[str, tuple[Callable[[str], Objective], Callable[[str, Answers], torch.Tensor]]] = {
    "channels": (
        lambda layer: Objective("channel", layer, indices=(1, 4)),
        lambda layer, answers: torch.stack(
            [alone(partial(lucent_objectives.channel, layer, channel), answers, row) for row, channel in enumerate((1, 4))]
        ),
    ),
    "neurons": (
        lambda layer: Objective("neuron", layer, indices=(1, 4), position=(3, 2)),
        lambda layer, answers: torch.stack(  # torch-lucent's x counts columns
            [alone(partial(lucent_objectives.neuron, layer, channel, x=2, y=3), answers, row) for row, channel in enumerate((1, 4))]
        ),
    ),
    "direction": (
        lambda layer: Objective("sum", layer, terms=tuple(Term("channel", k, weight, layer) for k, weight in DIRECTION.items())),
        lambda layer, answers: (
            K * alone(partial(lucent_objectives.channel_weight, layer, torch.tensor([DIRECTION.get(k, 0.0) for k in range(K)])), answers, 0)
        )[None],
    ),
}


@pytest.mark.parametrize("layer", ["conv2", "relu2"])
@pytest.mark.parametrize("kind", OBJECTIVES)
def test_ascent(kind: str, layer: str) -> None:
    """Adam takes some steps on torch-lucent's image and objective, through the twin."""
    ours, theirs = OBJECTIVES[kind]
    spec = spec_of(ours(layer))
    last = finished(twins().probe.ascend(spec))
    values, images = by_adam(spec, lambda answers, x: theirs(layer, answers))
    assert difference(last.values, values) < TOLERANCE
    assert difference(last.images, images) < TOLERANCE


@pytest.mark.parametrize("layer", ["conv2", "relu2"])
def test_diversity(layer: str) -> None:
    """There are three images of one channel. The sum of their losses is n / (n − 1) times that of torch-lucent."""
    n, weight = 3, 0.5
    spec = spec_of(Objective("channel", layer, indices=(4,) * n, diversity=weight))
    last = finished(twins().probe.ascend(spec))

    def scores(answers: Answers, x: torch.Tensor) -> torch.Tensor:
        both = -lucent_objectives.channel(layer, 4) + weight / (n - 1) * lucent_objectives.diversity(layer)
        return n * both(answers.__getitem__)[None]

    values, images = by_adam(spec, scores)
    assert difference(last.values.sum(axis=0, keepdims=True), values) < TOLERANCE
    assert difference(last.images, images) < TOLERANCE


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize("objective", ["l2", "dot_cosine"])
def test_feature_inversion(objective: str, path: str) -> None:
    """The whole method is compared: its start, its objective and penalty, its picture, and its distance from the layer's activations."""
    params = {"layer": path, "objective": objective, "optimizer": "adam", "steps": 10, "seed": 2}
    (found,) = (inversions.layers[0] for inversions in twins().run("feature_inversion", photos()[:1], **params))
    features = twins().torch.answers(channels_first(photos()[:1]))[path].detach()
    spec = feature_inversion.spec(
        feature_inversion.FeatureInversion.model_validate(params), Preprocessing.named("tf"), path, channels_last(features)[0], SIZE
    )
    curve: list[float] = []

    def scores(answers: Answers, x: torch.Tensor) -> torch.Tensor:
        value = likeness(answers[path], features, objective)
        curve.append(value.item())
        return (value - 0.05 * total_variation(x))[None]

    _, images = by_adam(spec, scores)
    assert difference(found.values, np.array(curve)) < TOLERANCE
    assert difference(found.image[None], images) < TOLERANCE
    drawn = torch.from_numpy(np.rint(images * 255)) / 255 * 2 - 1
    answer = twins().torch.answers(drawn.permute(0, 3, 1, 2).float())[path].detach()
    assert found.error == pytest.approx(float((answer - features).norm() / features.norm()), rel=TOLERANCE)
    assert found.cosine == pytest.approx(float(torch.cosine_similarity(answer.flatten(), features.flatten(), dim=0)), rel=TOLERANCE)
    assert difference(images, channels_last(channels_first(photos()[:1])) / 2 + 0.5) > 0.1
