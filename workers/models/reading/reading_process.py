"""The program of the child process that reads a model file. It has h5py and NumPy, and neither Keras nor TensorFlow nor a network.

Its arguments are numbers of open files and a question in JSON. It copies the file's arrays to one of them and writes an answer in JSON to
another: `config`, `keras_version` and `weights` (see `ArrayCopies`), or `refused` with `detail`, `allowed` and `got`, or `failed`.
"""

from __future__ import annotations

import codecs
import errno
import json
import os
import shutil
import sys
from typing import IO, Any

import h5py

from workers.models.guards.hdf5 import check_hdf5, open_hdf5
from workers.models.guards.json_text import check_json
from workers.models.guards.keras_archive import CONFIG, WEIGHTS, keras_version, open_archive
from workers.models.guards.refusal import FileLimits, FileRefused, check_size
from workers.models.reading.array_copies import ArrayCopies
from workers.models.reading.confinement import confine, end_if_parent_has_gone

_CONFIG_ATTRIBUTE = "model_config"
# Python loads these from files when a member's name or a text is first decoded, and no file can be opened by then.
_CODECS = ("ascii", "cp437", "latin-1", "utf-8")
# The state of the optimiser is not needed to run a model.
_TRAINING_STATE = frozenset({"optimizer", "optimizer_weights"})


def read(source: IO[bytes], arrays: IO[bytes], spool: IO[bytes], *, archive: bool, limits: FileLimits) -> dict[str, Any]:
    """Return the answer for one model file: its configuration (None if it has none), the version of Keras, and the table of its arrays.

    Args:
        source: the model file.
        arrays: an empty file that gets the values of all arrays.
        spool: an empty file that gets the weights of an archive while they are read.
        archive: whether the file is a `.keras` archive. Otherwise it is an HDF5 file.
        limits: the largest sizes.

    Raises:
        FileRefused: the file is damaged, is beyond a limit, or has something that no model file has.
    """
    check_size(os.fstat(source.fileno()).st_size, limits.max_file_bytes, "has")
    return _read_archive(source, arrays, spool, limits) if archive else _read_hdf5(source, arrays, limits)


def _read_archive(source: IO[bytes], arrays: IO[bytes], spool: IO[bytes], limits: FileLimits) -> dict[str, Any]:
    with open_archive(source, limits) as archive:
        with archive.open(WEIGHTS) as member:
            shutil.copyfileobj(member, spool, 2**20)
        spool.flush()
        spool.seek(0)
        with open_hdf5(spool) as file:
            check_hdf5(file, limits)
            text = archive.read(CONFIG)
            check_json(text, limits.max_config_bytes)
            weights = ArrayCopies(arrays).copy(file, _TRAINING_STATE)
        return {"config": text.decode(), "keras_version": keras_version(archive), "weights": weights}


def _read_hdf5(source: IO[bytes], arrays: IO[bytes], limits: FileLimits) -> dict[str, Any]:
    with open_hdf5(source) as file:
        check_hdf5(file, limits)
        text = _config_attribute(file, limits)
        weights = ArrayCopies(arrays).copy(file, _TRAINING_STATE)
        return {"config": text, "keras_version": _major(weights["attributes"].get("keras_version", "2")), "weights": weights}


def _config_attribute(file: h5py.File, limits: FileLimits) -> str | None:
    if _CONFIG_ATTRIBUTE not in file.attrs:
        return None
    declared = file.attrs.get_id(_CONFIG_ATTRIBUTE)
    if declared.shape != () or declared.dtype.kind not in "OS":
        return None
    check_size(declared.get_storage_size(), limits.max_config_bytes, "has a configuration of")
    value = file.attrs[_CONFIG_ATTRIBUTE]
    text = value.decode() if isinstance(value, bytes) else str(value)
    check_json(text, limits.max_config_bytes)
    return text


def _major(version: str) -> int:
    first = version.split(".", maxsplit=1)[0]
    if not first.isdecimal():
        raise FileRefused(f"names the version of Keras {version[:20]!r}, which is no version.")
    return int(first)


def answer(question: dict[str, Any], source: IO[bytes], arrays: IO[bytes], spool: IO[bytes]) -> dict[str, Any]:
    """Return what `read` returns. A file that cannot be read gives a refusal, and a full disk gives a failure that may pass."""
    try:
        return read(source, arrays, spool, archive=question["archive"], limits=FileLimits(*question["limits"]))
    except FileRefused as refusal:
        if isinstance(refusal.__cause__, OSError) and refusal.__cause__.errno == errno.EMFILE:
            raise
        return {"refused": {"detail": refusal.detail, "allowed": refusal.allowed, "got": refusal.got}}
    except MemoryError:
        return {"refused": {"detail": f"takes more memory to read than the {question['memory_bytes']} bytes that are allowed."}}
    except OSError as error:
        if error.errno == errno.EMFILE:  # something would be opened, which is a fault of this program
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return {"failed": "there is no room for its contents in the folder of temporary files."}
        return {"refused": {"detail": f"is damaged: {error.strerror or error}"}}
    except Exception as error:  # h5py raises errors of many classes for a damaged file
        return {"refused": {"detail": f"is damaged: {type(error).__name__}: {str(error)[:300]}"}}


def main() -> None:
    source, arrays, spool, answers, parent = map(int, sys.argv[1:6])
    question: dict[str, Any] = json.loads(sys.argv[6])
    files = os.fdopen(source, "rb"), os.fdopen(arrays, "wb"), os.fdopen(spool, "r+b"), os.fdopen(answers, "w", encoding="utf-8")
    for name in _CODECS:
        codecs.lookup(name)
    confine(**{name: question[name] for name in ("memory_bytes", "cpu_seconds", "file_bytes")})
    end_if_parent_has_gone(parent)
    with files[3] as out:
        json.dump(answer(question, *files[:3]), out)
    files[1].close()


if __name__ == "__main__":
    main()
