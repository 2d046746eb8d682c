"""An HDF5 file may not expand beyond the limit or point to other files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import pytest

from tests.workers.models.model_files import assert_refused, load, sequential_h5


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    return sequential_h5(tmp_path)


def test_weights_that_would_expand_are_refused(tmp_path: Path, h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file.create_dataset("model_weights/bomb", (2**30,), "f8", chunks=(2**20,), compression="gzip")
    assert h5.stat().st_size < 10**6
    assert_refused(h5, "expands to 8589[0-9]+ bytes")
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


def test_a_group_that_contains_itself_is_visited_once(h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file["model_weights"]["again"] = file["model_weights"]
    assert load(h5).count_params() == 5 * 28 + 2 * 176
