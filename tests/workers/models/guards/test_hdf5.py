"""An HDF5 file may not expand beyond the limit, point to other files, or hold anything but numbers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.workers.models.model_files import assert_refused, sequential_h5
from workers.models.guards import hdf5
from workers.models.guards.refusal import FileLimits, FileRefused


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    return sequential_h5(tmp_path)


def test_weights_that_would_expand_are_refused(tmp_path: Path, h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file.create_dataset("model_weights/bomb", data=np.zeros(2**20), chunks=(2**18,), compression="gzip")
    assert h5.stat().st_size < 10**5
    assert_refused(h5, "expands to 8[0-9]{6} bytes; at most 1000000", max_expanded_bytes=10**6)
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(64):
                member.write(bytes(2**20))
    assert path.stat().st_size < 10**5
    assert_refused(path, "expands to 67108866 bytes; at most 1000000", max_expanded_bytes=10**6)


@pytest.mark.parametrize("link", ["external", "soft", "external dataset", "virtual dataset"])
def test_an_hdf5_file_that_points_elsewhere_is_refused(h5: Path, link: str) -> None:
    secret = h5.with_name("secret.bin")
    secret.write_bytes(bytes(100))
    with h5py.File(h5, "a") as file:
        group = file["model_weights"].create_group("more")
        if link == "external":
            group["w"] = h5py.ExternalLink(str(secret), "/w")
        elif link == "soft":
            group["w"] = h5py.SoftLink("/model_weights")
        elif link == "external dataset":
            group.create_dataset("w", (5,), "f4", external=[(str(secret), 0, 20)])
        else:
            layout = h5py.VirtualLayout((5,), "f4")
            layout[:] = h5py.VirtualSource(str(secret), "w", (5,))
            group.create_virtual_dataset("w", layout)
    assert_refused(
        h5,
        "/model_weights/more/w (is a (External|Soft)Link|keeps its values in another file)",
    )


@pytest.mark.parametrize("kind", [h5py.Group, h5py.Dataset])
def test_an_object_with_two_names_is_refused(h5: Path, kind: type) -> None:
    """A second name would let a few bytes stand for many, and a group could contain itself."""
    with h5py.File(h5, "a") as file:
        weights = file["model_weights"]
        weights["again"] = weights if kind is h5py.Group else weights.visititems(lambda _, item: item if isinstance(item, kind) else None)
    assert_refused(h5, "second name for an object: /model_weights/")


def test_values_that_are_declared_and_not_stored_are_refused(h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file.create_dataset("model_weights/huge", (3 * 2**28,), "f4")
    assert h5.stat().st_size < 10**5
    assert_refused(h5, "/model_weights/huge should have 3221225472 bytes, and none are stored")


@pytest.mark.parametrize("kind", ["text", "list", "record", "reference"])
def test_values_that_are_not_numbers_are_refused(h5: Path, kind: str) -> None:
    with h5py.File(h5, "a") as file:
        types = {
            "text": h5py.string_dtype(),
            "list": h5py.vlen_dtype(np.int32),
            "record": np.dtype([("a", "f4"), ("b", "i8")]),
            "reference": h5py.ref_dtype,
        }
        file.create_dataset("model_weights/odd", (3,), types[kind])
    assert_refused(h5, "values that are not numbers: the object /model_weights/odd")


def test_a_filter_that_is_a_plugin_or_used_twice_is_refused(h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_chunk((5,))
        layout.set_deflate(4)
        layout.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1,))  # Blosc
        h5py.h5d.create(file.id, b"foreign", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((5,)), layout)
    assert_refused(h5, r"/foreign is compressed by the filters \[1, 32001\]")


def test_names_of_weights_are_bounded(h5: Path) -> None:
    """Each of the 2,000 names in the attribute has 10 kB, and HDF5 stores one of them once."""
    with h5py.File(h5, "a") as file:
        file["model_weights"].attrs.create("weight_names7", ["x" * 10_000] * 2_000, dtype=h5py.string_dtype())
    assert_refused(h5, "names of layers and weights of more than 16777216 bytes")


def test_too_many_groups_are_refused(h5: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(h5, "a") as file:
        group = file["model_weights"]
        for _ in range(hdf5.MAX_DEPTH):
            group = group.create_group("g")
    assert_refused(h5, "more than 100 levels deep")
    monkeypatch.setattr(hdf5, "MAX_OBJECTS", 7)
    with h5py.File(h5) as file, pytest.raises(FileRefused, match="more than 7 groups and arrays"):
        hdf5.check_hdf5(file, FileLimits(10**9, 10**9, 10**9))
