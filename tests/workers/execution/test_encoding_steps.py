"""Artifacts are encoded in steps: large ones side by side on threads, and all small ones in one step."""

from __future__ import annotations

import numpy as np

from workers.contract.artifacts import Array, Document, Picture
from workers.execution.artifact_encoders import encode_artifact, encode_artifacts, in_steps

LARGE = Picture("grid", np.zeros((600, 600, 3), np.uint8), primary=True)
ARRAY = Array("features", np.zeros((1024, 256), np.float32))
SMALL = [
    Picture("overlay", np.zeros((5, 7, 3), np.uint8)),
    Array("map", np.ones((7, 7), np.float32)),
    Document("text", "application/json", "{}"),
]


def test_large_artifacts_are_steps_of_their_own() -> None:
    steps = in_steps([SMALL[0], LARGE, SMALL[1], ARRAY, SMALL[2]])
    assert [[artifact.name for artifact in step] for step in steps] == [["grid"], ["features"], ["overlay", "map", "text"]]


def test_nothing_small_is_no_step() -> None:
    assert in_steps([LARGE]) == [[LARGE]]
    assert in_steps([]) == []


def test_a_step_gives_what_each_artifact_gives_alone() -> None:
    assert encode_artifacts(SMALL) == {artifact.name: encode_artifact(artifact) for artifact in SMALL}
