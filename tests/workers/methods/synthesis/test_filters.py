from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest

from schemas.limits import MethodLimits
from schemas.methods.synthesis.filters import Filters, FiltersFacts
from schemas.methods.synthesis.presets import PRESETS
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel
from workers.contract.artifacts import Animation, Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, InputGradients, LayerGradients, Probe
from workers.contract.progress import Pieces, Reusable
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState, Objective, Term
from workers.methods.synthesis import filters
from workers.methods.synthesis.ascent import shrunk
from workers.methods.synthesis.filters import Synthesis, Target
from workers.methods.synthesis.presets import RECIPES

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


def synthesis(values: list[list[float]], seen: list[bool], size: int = 20) -> Synthesis:
    images = np.random.default_rng(0).uniform(size=(len(values), size, size, 3)).astype(np.float32)
    targets = tuple(Target(f"channel_{index}", channel=index) for index in range(len(values)))
    return Synthesis(targets, images, np.float32(values), np.array(seen), TF)


def pictures(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.image for artifact in output.artifacts if isinstance(artifact, Picture)}


def facts(output: Output) -> FiltersFacts:
    assert isinstance(output.facts, FiltersFacts)
    return output.facts


class Recorded:
    """A probe whose ascent is three slices long and remembers what it was asked for; it has nothing else."""

    def __init__(self) -> None:
        self.published, self.description = MODEL, MODEL.description
        self.spec: AscentSpec | None = None

    def forward(self, *_: object, **__: object) -> Forward:
        raise NotImplementedError

    def gradients(self, *_: object, **__: object) -> LayerGradients:
        raise NotImplementedError

    def input_gradients(self, *_: object, **__: object) -> InputGradients:
        raise NotImplementedError

    def backproject(self, *_: object, **__: object) -> np.ndarray:
        raise NotImplementedError

    def scores_from(self, *_: object, **__: object) -> Forward:
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
                step, 3, np.full((n, *spec.size, 3), step / 4, np.float32), np.full((n, step), step, np.float32), np.ones(n, np.bool_)
            )
            for step in range(4)
        ]
        yield from states[:3]
        return states[3]


def drive(params: Filters, pieces: Pieces | None = None) -> tuple[list, Synthesis, AscentSpec]:
    probe = Recorded()
    ascent, slices = filters.run(probe, Inputs(np.zeros((0, 0, 0, 3), np.float32), pieces=pieces or {}), params), []
    while True:
        try:
            slices.append(next(ascent))
        except StopIteration as stop:
            assert probe.spec is not None
            return slices, stop.value, probe.spec


def test_a_slice_tells_the_mean_objective_and_shows_a_small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "PREVIEW_SECONDS", 0.0)
    slices, result, _ = drive(resolved(channels=5))
    assert [(s.step, s.total, s.value) for s in slices] == [(0, 3, None), (1, 3, 1.0), (2, 3, 2.0), (3, 3, 3.0)]
    assert slices[2].preview.shape == (2 * 64 + 1, 3 * 64 + 2, 3)
    assert slices[2].preview[5, 5].tolist() == [128] * 3
    assert result.values.shape == (5, 3)
    assert [target.name for target in result.targets] == [f"channel_{k}" for k in range(5)]


def test_channels_at_hand_are_not_made_again_and_the_others_are_handed_out() -> None:
    params = resolved(channels=[7, 2, 5], steps=3)
    slices, _, _ = drive(params)
    assert [sorted(s.pieces) for s in slices] == [[], [], [], ["2", "5", "7"]]
    image = np.random.default_rng(0).uniform(size=(128, 128, 3)).astype(np.float32)
    at_hand = {"2": {"image": image, "values": np.float32([7, 8, 9]), "seen": np.array(False)}}
    slices, result, spec = drive(params, at_hand)
    assert (spec.objective.indices, sorted(slices[-1].pieces)) == ((7, 5), ["5", "7"])
    assert [target.channel for target in result.targets] == [7, 2, 5]
    np.testing.assert_array_equal(result.images[1], image)
    np.testing.assert_array_equal(result.values, [[3, 3, 3], [7, 8, 9], [3, 3, 3]])
    assert result.gradient_seen.tolist() == [True, False, True]
    assert filters.draw(result, None, params).facts.dead_channels == (2,)
    everything = {str(target.channel): slices[-1].pieces.get(str(target.channel), at_hand["2"]) for target in result.targets}
    probe = Recorded()
    with pytest.raises(StopIteration) as stop:
        next(filters.run(probe, Inputs(np.zeros((0, 0, 0, 3), np.float32), pieces=everything), params))
    assert probe.spec is None
    np.testing.assert_array_equal(stop.value.value.images, result.images)


def test_only_images_that_stand_alone_are_reusable_and_by_all_that_decides_them() -> None:
    def work(**params: object) -> str:
        found = filters.reusable(resolved(**params))
        assert found is not None
        return found.work

    assert filters.reusable(resolved(channels=[7, 2])) == Reusable(work(channels=1), ("7", "2"))
    assert work(channels=3, columns=2) == work(channels=[5])
    changes = ({}, {"seed": 1}, {"steps": 3}, {"size": 64}, {"preset": "dlwp1"}, {"transforms": {"pad": 1}}, {"precision": "bfloat16"})
    assert len({work(**change) for change in changes}) == len(changes)
    for params in ({"channels": [1], "diversity": {}}, {"frames": 4}, {"class_index": 0}, {"neuron": [0, 0, 1]}, {"whole_layer": True}):
        assert filters.reusable(resolved(**params)) is None


def test_frames_are_the_images_after_steps_spread_evenly_and_the_finished_ones() -> None:
    assert filters.frame_steps(128, 5) == (1, 32, 64, 96)
    assert filters.frame_steps(3, 8) == (1, 2)
    assert (filters.frame_steps(128, 1), filters.frame_steps(128, 0)) == ((), ())
    slices, result, spec = drive(resolved(channels=5, steps=3, frames=3))
    assert (spec.show, [s.step for s in slices]) == ((1, 2), [0, 1, 2])
    assert [frame.shape for frame in result.frames] == [(2 * 128 + 1, 3 * 128 + 2, 3)] * 3
    assert [frame[0, 0].tolist() for frame in result.frames] == [[64] * 3, [128] * 3, [191] * 3]
    animations = [a for a in filters.draw(result, None, resolved(channels=5, steps=3, frames=3)).artifacts if isinstance(a, Animation)]
    assert [(a.name, a.frames.shape, a.milliseconds) for a in animations] == [("animation", (3, 257, 386, 3), 1000)]
    _, without, spec = drive(resolved(channels=5, steps=3))
    assert (without.frames, spec.show) == ((), ())
    assert not any(isinstance(a, Animation) for a in filters.draw(without, None, resolved(channels=5, steps=3)).artifacts)


def test_a_frame_of_very_many_images_stays_small_and_the_dead_are_crossed() -> None:
    images = np.full((512, 128, 128, 3), 0.5, np.float32)
    state = AscentState(1, 3, images, np.zeros((512, 1), np.float32), np.arange(512) != 1)
    frame = filters.frame(resolved(channels=5, frames=2), TF, state)
    assert frame.shape == (23 * 42 + 22, 23 * 42 + 22, 3)
    assert (frame[5, 5].tolist(), frame[5, 43 + 8].tolist()) == ([128] * 3, [64] * 3)


def test_between_previews_a_second_passes() -> None:
    slices, _, _ = drive(resolved(channels=2))
    assert [s.preview for s in slices] == [None] * 4


@pytest.mark.parametrize(
    ("params", "objective", "names"),
    [
        ({"channels": [7, 2]}, Objective("channel", "conv", (7, 2)), ["channel_7", "channel_2"]),
        ({"neuron": [3, 4, 5]}, Objective("neuron", "conv", (5,), (3, 4)), ["neuron_3_4_5"]),
        ({"whole_layer": True}, Objective("layer", "conv"), ["layer"]),
        ({"class_index": ["zebra", 0]}, Objective("class", indices=(2, 0)), ["class_2", "class_0"]),
        ({"channels": [1], "preset": "dlwp2"}, Objective("channel", "conv", (1,), margin=2), ["channel_1"]),
    ],
)
def test_the_objective_and_the_names_follow_what_was_asked_for(params: dict, objective: Objective, names: list[str]) -> None:
    _, result, spec = drive(resolved(**params))
    assert spec.objective == objective
    assert [target.name for target in result.targets] == names


def test_classes_carry_their_labels() -> None:
    params = resolved(class_index=["zebra", 0])
    _, result, _ = drive(params)
    images = facts(filters.draw(result, None, params)).images
    assert [(image.class_index, image.label, image.channel) for image in images] == [(2, "zebra", None), (0, "goldfish", None)]


def test_a_callers_own_numbers_go_before_the_presets() -> None:
    _, _, spec = drive(resolved(size=40, steps=7, learning_rate=0.3, transforms={"jitter": 3}, regularisers={"l2": 0.5}, seed=8))
    assert (spec.size, spec.steps, spec.learning_rate, spec.seed) == ((40, 40), 7, 0.3, 8)
    assert (spec.transforms.jitter, spec.transforms.pad, spec.regularisers.l2) == (3, 0, 0.5)
    assert (spec.parametrisation, spec.optimizer, spec.redirect) == ("fourier", "adam", True)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_fixes_every_number(preset: str) -> None:
    _, _, spec = drive(resolved(preset=preset, channels=3))
    numbers = PRESETS[preset]
    assert (spec.steps, spec.learning_rate, spec.size) == (numbers.steps, numbers.learning_rate, (numbers.size, numbers.size))
    assert spec.redirect == (preset in {"lucid", "maco"})


def test_rank_is_by_final_value_and_dead_ones_come_last() -> None:
    params = resolved(channels=4)
    output = filters.draw(synthesis([[0, 2.0], [0, -1.0], [9, 5.0], [0, 0.0]], [True, True, True, False]), None, params)
    found = facts(output)
    assert [image.rank for image in found.images] == [2, 3, 1, 4]
    assert [image.objective for image in found.images] == [2.0, -1.0, 5.0, 0.0]
    assert [image.dead for image in found.images] == [False, False, False, True]
    assert found.dead_channels == (3,)
    assert "channel_3" in output.warnings[0]
    assert not any(image.dropped for image in found.images)


def test_a_channel_that_moves_and_never_answers_is_said() -> None:
    """As with a ReLU that stays shut while ascent follows what it is given."""
    output = filters.draw(synthesis([[0.0, 0.0], [0.0, 0.5], [0.0, 0.0]], [True, True, False]), None, resolved(channels=3))
    assert [warning.split(":")[0] for warning in output.warnings] == [
        "No gradient ever reached the input for channel_2",
        "Never answered, at any step",
    ]
    assert "channel_0." in output.warnings[1]


def test_a_dead_channel_is_a_crossed_tile_and_the_others_are_their_images() -> None:
    params = resolved(channels=3)
    result = synthesis([[1.0], [0.0], [2.0]], [True, False, True])
    shown = pictures(filters.draw(result, None, params))
    np.testing.assert_array_equal(shown["channel_0"], np.rint(result.images[0] * 255).astype(np.uint8))
    cross = shown["channel_1"]
    assert cross.shape == (20, 20, 3)
    assert set(np.unique(cross)) == {64, 128}
    np.testing.assert_array_equal(cross[..., 0] == 128, (np.eye(20) + np.eye(20)[::-1]) > 0)
    # Two tiles in a row, white between and where none is left.
    grid = shown["grid"]
    assert grid.shape == (44, 44, 3)
    np.testing.assert_array_equal(grid[:20, 24:], cross)
    np.testing.assert_array_equal(grid[24:, :20], shown["channel_2"])
    assert np.all(grid[24:, 24:] == 255)


def test_arrays_are_as_synthesised() -> None:
    result = synthesis([[1.0, 2.0], [3.0, 4.0]], [True, True])
    arrays = {a.name: a.array for a in filters.draw(result, None, resolved(channels=2)).artifacts if isinstance(a, Array)}
    np.testing.assert_array_equal(arrays["images"], result.images)
    np.testing.assert_array_equal(arrays["curves"], [[1, 2], [3, 4]])


def test_keras_blog_drops_whatever_was_ever_at_nought_and_says_so_when_that_is_all() -> None:
    params = resolved(preset="keras_blog", channels=4)
    output = filters.draw(synthesis([[0.0, 9.0], [1.0, 2.0], [1.0, 3.0], [0.0, 0.0]], [True, True, True, False]), None, params)
    assert [image.dropped for image in facts(output).images] == [True, False, False, True]
    shown = pictures(output)
    assert shown["grid"].shape == (20, 45, 3)
    np.testing.assert_array_equal(shown["grid"][:, :20], shown["channel_2"])
    np.testing.assert_array_equal(shown["grid"][:, 25:], shown["channel_1"])
    none = filters.draw(synthesis([[0.0]], [True]), None, resolved(preset="keras_blog", channels=1))
    assert "drops them all" in none.warnings[-1]
    assert set(np.unique(pictures(none)["grid"])) == {64, 128}


def test_shrinking_averages_blocks() -> None:
    image = np.zeros((131, 140, 3), np.uint8)
    image[::2] = 100
    small = shrunk(image)
    assert small.shape == (65, 70, 3)
    assert np.all(small == 50)
    assert shrunk(image[:50]).shape == (50, 140, 3)


def test_recipes_are_those_of_the_presets() -> None:
    assert set(RECIPES) == set(PRESETS)


def test_a_direction_and_a_sum_are_one_image_each() -> None:
    direction = resolved(direction=[[3, 1.0], [7, -0.5]], preset="keras_io")
    spec = filters.spec(direction, TF)
    assert spec.objective == Objective("sum", "conv", margin=2, terms=(Term("channel", 3, 1.0, "conv"), Term("channel", 7, -0.5, "conv")))
    assert filters.targets(direction, MODEL) == (Target("direction"),)
    parts = [{"class_index": "zebra", "weight": 2}, {"channel": 8, "layer": "conv"}, {"neuron": [4, 5, 6], "weight": -1}]
    summed = resolved(objectives=parts)
    assert filters.spec(summed, TF).objective == Objective(
        "sum", terms=(Term("class", 2, 2.0), Term("channel", 8, 1.0, "conv"), Term("neuron", 6, -1.0, "conv", (4, 5)))
    )
    assert filters.targets(summed, MODEL) == (Target("sum"),)
    assert filters.spec(summed, TF).size == (128, 128)


def test_diverse_images_are_of_one_channel_and_have_names_of_their_own() -> None:
    params = resolved(channels=[4], diversity={"count": 3, "weight": 2})
    assert filters.spec(params, TF).objective == Objective("channel", "conv", (4, 4, 4), diversity=2.0)
    found = filters.targets(params, MODEL)
    assert [(target.name, target.channel) for target in found] == [("channel_4_0", 4), ("channel_4_1", 4), ("channel_4_2", 4)]
    dead = Synthesis(found, np.zeros((3, 20, 20, 3), np.float32), np.zeros((3, 2), np.float32), np.zeros(3, np.bool_), TF)
    assert facts(filters.draw(dead, None, params)).dead_channels == (4,)
