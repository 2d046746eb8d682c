"""Hostile `.keras` files whose fault is in the archive or in the weights' file, each with what the refusal says."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

Members = dict[str, bytes]
ArchiveChange = Callable[[Members, Path], None]


def _more(name: str, content: bytes = b"x") -> ArchiveChange:
    return lambda members, folder: members.update({name: content})


def _weights(change: Callable[[h5py.File, Path], None]) -> ArchiveChange:
    def changed(members: Members, folder: Path) -> None:
        buffer = io.BytesIO(members["model.weights.h5"])
        with h5py.File(buffer, "a") as file:
            change(file, folder)
        members["model.weights.h5"] = buffer.getvalue()

    return changed


def _virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((5,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "canary"), "w", (5,))
    file.create_virtual_dataset("w", layout)


def _cumulative(file: h5py.File, folder: Path) -> None:
    """Each array has 512 MiB of zeros, which gzip makes small, and all together are above the limit of 4 GiB."""
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_chunk((2**27,))
    layout.set_deflate(9)
    for number in range(9):
        space = h5py.h5s.create_simple((2**27,))
        dataset = h5py.h5d.create(file.id, f"w{number}".encode(), h5py.h5t.IEEE_F32LE, space, layout)
        dataset.write_direct_chunk((0,), b"x")


def _large_chunk(file: h5py.File, folder: Path) -> None:
    """Each of two arrays has 5 values, and chunks that are declared with 2 GiB, almost the most that HDF5 allows."""
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_chunk((2**28,))
    layout.set_deflate(9)
    for name in (b"v", b"w"):
        space = h5py.h5s.create_simple((5,), (h5py.h5s.UNLIMITED,))
        h5py.h5d.create(file.id, name, h5py.h5t.IEEE_F64LE, space, layout).write_direct_chunk((0,), b"x")


def _variable_length(file: h5py.File, folder: Path) -> None:
    file.create_dataset("w", data=["x" * 2**20] * 5, dtype=h5py.string_dtype())


HEAVY = frozenset({"a configuration of lists"})
"""This change makes a file that takes seconds to read."""
CHANGES: dict[str, tuple[ArchiveChange, str]] = {
    "a member outside": (_more("../canary"), "points out of the archive"),
    "an absolute member": (_more("/etc/canary"), "points out of the archive"),
    "a vocabulary": (_more("assets/layers/lookup/vocabulary.txt", b"cat"), "has a file beside the weights"),
    "no weights": (lambda members, folder: members.pop("model.weights.h5") and None, "lacks config.json or model.weights.h5"),
    "weights that are a zip": (lambda members, folder: members.update({"model.weights.h5": _nested_bomb()}), "is not an HDF5 file"),
    "a configuration that is a bomb": (_more("config.json", bytes(65 * 2**20)), "config.json of 68157440 bytes"),
    "a configuration of 5,000 levels": (_more("config.json", b"[" * 5000 + b"]" * 5000), "too many levels"),
    "a configuration of a million levels": (_more("config.json", b"[" * 10**6 + b"]" * 10**6), "too many levels"),
    "a configuration of 201 levels": (_more("config.json", b'{"class_name":' + b"[" * 200 + b"]" * 200 + b"}"), "more than 200 levels"),
    "a configuration of lists": (_more("config.json", b'{"class_name":[' + b"[]," * 2_000_000 + b"0]}"), "more than 2000000 values"),
    "an external link": (_weights(lambda f, d: f.update({"w": h5py.ExternalLink(str(d / "canary"), "/w")})), "ExternalLink"),
    "a soft link": (_weights(lambda f, d: f.update({"w": h5py.SoftLink("/layers")})), "SoftLink"),
    "external storage": (
        _weights(lambda f, d: f.create_dataset("w", (5,), "f4", external=[(str(d / "canary"), 0, 20)]) and None),
        "another file",
    ),
    "a virtual dataset": (_weights(_virtual), "another file"),
    "cumulative shapes": (_weights(_cumulative), "expands to [0-9]{10} bytes; at most 4294967296"),
    "a shape of 3 GB": (_weights(lambda f, d: f.create_dataset("w", (3 * 2**28,), "f4") and None), "none are stored"),
    "a shape of 2⁶⁰": (_weights(lambda f, d: f.create_dataset("w", (2**60,), "f4", chunks=(4,)) and None), "none are stored|expands to"),
    "a large chunk": (_weights(_large_chunk), "expands to 4294[0-9]+ bytes"),
    "variable length": (_weights(_variable_length), "values that are not numbers"),
    "a group in itself": (_weights(lambda f, d: f.update({"again": f["/"]})), "second name"),
}


def _nested_bomb() -> bytes:
    content = bytes(2**20)
    for _ in range(3):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.weights.h5", content)
        content = buffer.getvalue()
    return content


def write_archive(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def read_archive(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_symbolic_link(path: Path, members: Members, target: str) -> Path:
    """Write an archive in which the weights are a symbolic link to `target`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", members["config.json"])
        link = zipfile.ZipInfo("model.weights.h5")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, target)
    return path


def write_duplicate(path: Path, members: Members) -> Path:
    """Write an archive with two configurations, the second of which runs code."""
    write_archive(path, members)
    entry = zipfile.ZipInfo("config.jsom")  # the name is changed in the bytes, because zipfile warns about a second one
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, b'{"class_name": "Lambda"}')
    path.write_bytes(path.read_bytes().replace(b"config.jsom", b"config.json"))
    return path


def deflate_bomb(path: Path, members: Members) -> Path:
    """Write an archive whose weights have a chunk of 4 kB that inflates to 256 MiB, 65,536 times what it declares."""
    import zlib

    buffer = io.BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "a") as file:
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_chunk((1024,))
        layout.set_deflate(9)
        dataset = h5py.h5d.create(file.id, b"w", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((1024,)), layout)
        squeeze = zlib.compressobj(9)
        dataset.write_direct_chunk((0,), b"".join(squeeze.compress(bytes(2**20)) for _ in range(256)) + squeeze.flush())
    return write_archive(path, {**members, "model.weights.h5": buffer.getvalue()})


def million_groups(path: Path, members: Members, count: int) -> Path:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="latest") as file:
        for number in range(count):
            file.create_group(str(number))
        file["vars/0"] = np.zeros(3)
    return write_archive(path, {**members, "model.weights.h5": buffer.getvalue()})
