"""Unique names of artifacts from paths."""

from __future__ import annotations

from workers.methods.artifact_names import artifact_names


def test_slashes_become_dots() -> None:
    assert artifact_names(["base/block1/conv", "conv"]) == {"base/block1/conv": "base.block1.conv", "conv": "conv"}


def test_no_two_paths_have_the_same_name() -> None:
    assert artifact_names(["a/b", "a.b", "a.b~2", "a/b~2"]) == {"a/b": "a.b", "a.b": "a.b~2", "a.b~2": "a.b~2~2", "a/b~2": "a.b~2~3"}


def test_taken_names_are_not_given_again() -> None:
    assert artifact_names(["grid", "kernel"], taken=("grid", "histogram")) == {"grid": "grid~2", "kernel": "kernel"}
