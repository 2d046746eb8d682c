"""A probe whose ascent is played, and the results of `filters` with it."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from schemas.limits import MethodLimits
from schemas.methods.synthesis.filters import Filters, FiltersFacts
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel
from tests.drawn import drawn
from workers.contract.artifacts import Output, Picture
from workers.contract.attention import AttentionGradients, Attentions
from workers.contract.contributions import Contributions
from workers.contract.full_gradients import FullGradients
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Forward, InputGradients, LayerGradients, Probe
from workers.contract.progress import Pieces
from workers.contract.relevance import Relevances
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState
from workers.methods.synthesis import filters
from workers.methods.synthesis.filter_targets import ImageTarget
from workers.methods.synthesis.filters import FilterSynthesis

TF = Preprocessing.named("tf")
MODEL = PublishedModel(
    description=ModelDescription(
        name="tiny",
        source="file",
        input=InputSpec(name="photo", height=None, width=None, channels=3),
        preprocessing=TF,
        classes=3,
        head="softmax",
        outputs=("predictions",),
        fingerprint="0" * 64,
        parameters=0,
        default_layer="conv",
        layers=(
            Layer(
                path="conv",
                type="Conv2D",
                kind=LayerKind.CONV,
                output_shape=(None, None, 9),
                parameters=0,
                channels=9,
                receptive_field=None,
                inbound=(),
                cam_able=True,
            ),
        ),
    ),
    labels=("goldfish", "cat", "zebra"),
    digest="0",
)


def resolved(**params: object) -> Filters:
    return Filters.model_validate(params).resolve(MODEL, MethodLimits())


def synthesis(values: list[list[float]], seen: list[bool], size: int = 20) -> FilterSynthesis:
    images = np.random.default_rng(0).uniform(size=(len(values), size, size, 3)).astype(np.float32)
    targets = tuple(ImageTarget(f"channel_{index}", channel=index) for index in range(len(values)))
    return FilterSynthesis(targets, images, np.array(values, np.float32), np.array(seen), TF)


def pictures(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.image for artifact in drawn(output).artifacts if isinstance(artifact, Picture)}


def facts(output: Output) -> FiltersFacts:
    assert isinstance(output.facts, FiltersFacts)
    return output.facts


class PlayedAscent:
    """A probe that can only ascend, in three slices. It remembers what it was asked for."""

    def __init__(self) -> None:
        self.published, self.description = MODEL, MODEL.description
        self.spec: AscentSpec | None = None

    def inputs_per_pass(self, *_: object, **__: object) -> int:
        raise NotImplementedError

    def map_place(self, layer: str, size: tuple[int, int]) -> MapPlace:
        raise NotImplementedError

    def forward(self, *_: object, **__: object) -> Forward:
        raise NotImplementedError

    def gradients(self, *_: object, **__: object) -> LayerGradients:
        raise NotImplementedError

    def input_gradients(self, *_: object, **__: object) -> InputGradients:
        raise NotImplementedError

    def relevances(self, *_: object, **__: object) -> Relevances:
        raise NotImplementedError

    def contributions(self, *_: object, **__: object) -> Contributions:
        raise NotImplementedError

    def full_gradients(self, *_: object, **__: object) -> FullGradients:
        raise NotImplementedError

    def attentions(self, *_: object, **__: object) -> Attentions:
        raise NotImplementedError

    def attention_gradients(self, *_: object, **__: object) -> AttentionGradients:
        raise NotImplementedError

    def backproject(self, *_: object, **__: object) -> np.ndarray:
        raise NotImplementedError

    def scores_from(self, *_: object, **__: object) -> Forward:
        raise NotImplementedError

    def values(self, *_: object, **__: object) -> np.ndarray:
        raise NotImplementedError

    def explaining(self, *_: object, **__: object) -> Probe:
        raise NotImplementedError

    def with_inputs(self, *_: object, **__: object) -> Probe:
        raise NotImplementedError

    def randomised(self, *_: object, **__: object) -> Probe:
        raise NotImplementedError

    def weights(self, layer: str) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        raise NotImplementedError

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        self.spec = spec
        n = max(1, len(spec.objective.indices))
        states = [
            AscentState(
                step, 3, (np.full((n, *spec.size, 3), step / 4, np.float32),), np.full((n, step), step, np.float32), np.ones(n, np.bool_)
            )
            for step in range(4)
        ]
        yield from states[:3]
        return states[3]


def drive(params: Filters, pieces: Pieces | None = None) -> tuple[list, FilterSynthesis, AscentSpec]:
    probe = PlayedAscent()
    ascent, slices = filters.run(probe, Inputs(np.zeros((0, 0, 0, 3), np.float32), pieces=pieces or {}), params), []
    while True:
        try:
            slices.append(next(ascent))
        except StopIteration as stop:
            assert probe.spec is not None
            return slices, stop.value, probe.spec
