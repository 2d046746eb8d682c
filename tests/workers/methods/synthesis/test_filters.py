"""The ascent that `filters` asks for, its slices, and the images that it reuses."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.methods.synthesis.presets import PRESETS
from tests.workers.methods.synthesis.played_ascent import PlayedAscent, drive, resolved
from workers.contract.inputs import Inputs
from workers.contract.progress import Reusable
from workers.methods.synthesis import filters, previews
from workers.methods.synthesis.recipes import RECIPES


def test_a_slice_tells_the_mean_objective_and_shows_a_small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 0.0)
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
    probe = PlayedAscent()
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


def test_between_previews_a_second_passes() -> None:
    slices, _, _ = drive(resolved(channels=2))
    assert [s.preview for s in slices] == [None] * 4


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


def test_recipes_are_those_of_the_presets() -> None:
    assert set(RECIPES) == set(PRESETS)
