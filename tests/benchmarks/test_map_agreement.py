"""Times are compared only between implementations whose maps agree."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.map_agreement import correlation, disagreements

_MAP = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 9.0]], np.float32)


def test_maps_agree_in_any_units_and_with_an_axis_at_the_end() -> None:
    maps = np.stack([_MAP, _MAP.T.reshape(2, 3)])
    assert disagreements({"convscope": maps, "other": 5 * maps[..., None]}) == {}


def test_other_maps_disagree() -> None:
    found = disagreements({"convscope": _MAP[None], "other": 9 - _MAP[None], "same": _MAP[None]})
    assert list(found) == ["other"]
    assert "correlate by -1.000" in found["other"]


def test_bfloat16_may_differ_more() -> None:
    near = _MAP + np.array([[0.0, 0.0, 0.0], [0.0, 3.0, 0.0]], np.float32)
    assert 0.9 < correlation(_MAP, near) < 0.99
    assert list(disagreements({"convscope": _MAP[None], "ours, bfloat16": near[None], "other": near[None]})) == ["other"]


def test_a_map_that_is_the_same_everywhere_agrees_with_nothing() -> None:
    nothing = np.zeros((1, 2, 3), np.float32)
    assert list(disagreements({"convscope": nothing, "other": nothing})) == ["other"]


def test_the_pictures_of_tf_explain_are_not_compared() -> None:
    assert disagreements({"convscope": _MAP[None], "tf-explain": np.zeros((1, 8, 8, 3), np.uint8)}) == {}


def test_the_smaller_map_is_enlarged() -> None:
    large = np.kron(_MAP, np.ones((8, 8), np.float32))
    assert correlation(_MAP, large) > 0.9
    assert correlation(_MAP, large[::-1]) < 0.5
