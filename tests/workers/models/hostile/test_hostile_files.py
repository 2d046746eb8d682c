"""Hostile model files are refused with a reason. Nothing of them runs, nothing else is read, and nothing is asked over the network."""

from __future__ import annotations

import gc
import io
import json
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import psutil
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import file_entry
from tests.workers.models.hostile import archives, configurations
from tests.workers.models.hostile.archives import Members, deflate_bomb, read_archive, write_archive, write_duplicate, write_symbolic_link
from tests.workers.models.hostile.observed import nothing_forbidden
from tests.workers.models.model_files import assert_refused, load, small_model
from workers.models.conversion.training_settings import without_training_settings
from workers.models.custom_objects import CustomObjects
from workers.models.guards.configuration import check_config
from workers.models.guards.refusal import FileLimits, FileRefused
from workers.models.limits import ModelLimits
from workers.models.loading import load_model
from workers.models.reading.reading_process import read

LIMITS = FileLimits(2**30, 2**32, 2**26)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Members:
    path = tmp_path_factory.mktemp("good") / "good.keras"
    small_model().save(path)
    return read_archive(path)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary"
    path.write_text("cat\ndog\n")
    return path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def changed_archive(name: str, members: Members, canary: Path) -> Path:
    copies = dict(members)
    archives.CHANGES[name][0](copies, canary.parent)
    return write_archive(canary.with_name("hostile.keras"), copies)


def changed_configuration(name: str, members: Members, canary: Path, listener: socket.socket) -> bytes:
    config = json.loads(members["config.json"])
    configurations.CHANGES[name][0](config)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/vocabulary"
    return json.dumps(config).replace("CANARY", str(canary)).replace("ADDRESS", address).encode()


def read_here(path: Path) -> None:
    """Read the file as the child process does, but in this process, which is faster."""
    with path.open("rb") as source, tempfile.TemporaryFile() as arrays, tempfile.TemporaryFile() as spool:
        answer = read(source, arrays, spool, archive=True, limits=LIMITS)
    check_config(without_training_settings(json.loads(answer["config"])), path.name, ModelLimits(), CustomObjects())


def with_marks(names: Iterable[str], heavy: frozenset[str]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow if name in heavy else ()) for name in names]


@pytest.mark.parametrize("name", with_marks(archives.CHANGES, archives.HEAVY))
def test_a_hostile_archive_is_refused(name: str, members: Members, canary: Path) -> None:
    path = changed_archive(name, members, canary)
    with nothing_forbidden(str(canary)), pytest.raises(FileRefused, match=archives.CHANGES[name][1]):
        read_here(path)


@pytest.mark.parametrize("name", with_marks(configurations.CHANGES, configurations.HEAVY))
def test_a_hostile_configuration_is_refused(name: str, members: Members, canary: Path, listener: socket.socket) -> None:
    text = changed_configuration(name, members, canary, listener)
    path = write_archive(canary.with_name("hostile.keras"), {**members, "config.json": text})
    with nothing_forbidden(str(canary)), pytest.raises(ModelLoadFailed, match=configurations.CHANGES[name][1]):
        read_here(path)


def test_a_good_archive_is_read(members: Members, tmp_path: Path) -> None:
    read_here(write_archive(tmp_path / "good.keras", members))


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda path, members: write_symbolic_link(path, members, "/etc/passwd"), "symbolic link: the member 'model.weights.h5'"),
        (write_duplicate, "two members of the name 'config.json'"),
    ],
)
def test_an_archive_of_two_meanings_is_refused(tmp_path: Path, members: Members, write: Callable[[Path, Members], Path], says: str) -> None:
    assert_refused(write(tmp_path / "hostile.keras", members), says)


@pytest.mark.slow
def test_a_chunk_that_inflates_beyond_the_memory_is_refused(tmp_path: Path, members: Members) -> None:
    assert_refused(deflate_bomb(tmp_path / "bomb.keras", members), "is damaged|more memory", load_memory_bytes=2**28)


def as_hdf5(path: Path, text: bytes, weights: bytes) -> Path:
    """Write an HDF5 file with the configuration and the weights' objects of an archive."""
    with h5py.File(path, "w") as file, h5py.File(io.BytesIO(weights)) as archived:
        file.attrs["keras_version"] = "3.15.0"
        file.attrs.create("model_config", text, dtype=h5py.string_dtype(length=len(text)) if len(text) < 60_000 else None)
        archived.copy(archived["/"], file, "model_weights")
    return path


@pytest.mark.slow
def test_all_of_them_leave_the_worker_as_it_was(members: Members, canary: Path, listener: socket.socket) -> None:
    """Every file, also as HDF5 where that is possible, is loaded as a worker loads it. Memory and open files are as before."""
    good = write_archive(canary.with_name("good.keras"), members)
    files = {
        name: (changed_archive(name, members, canary).rename(canary.with_name(f"a{n}.keras")), archives.CHANGES[name][1])
        for n, name in enumerate(archives.CHANGES)
    }
    for n, (name, (_, says)) in enumerate(configurations.CHANGES.items()):
        text = changed_configuration(name, members, canary, listener)
        files[name] = write_archive(canary.with_name(f"c{n}.keras"), {**members, "config.json": text}), says
        files[f"{name} in HDF5"] = as_hdf5(canary.with_name(f"c{n}.h5"), text, members["model.weights.h5"]), says
    process = psutil.Process()
    for _ in range(3):
        load(good)
    gc.collect()
    before, open_files = process.memory_info().rss, process.num_fds()
    with nothing_forbidden(str(canary)):
        for path, says in files.values():
            with pytest.raises(ModelLoadFailed, match=says):
                load_model(file_entry(path))
    load(good)
    gc.collect()
    assert process.memory_info().rss < 1.1 * before
    assert process.num_fds() <= open_files
    with pytest.raises(BlockingIOError):
        listener.accept()
