"""A legacy checkpoint of PyTorch is read without torch, and nothing in it is run."""

from __future__ import annotations

import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from workers.models.weights.torch_pickle import MAGIC_NUMBER, PROTOCOL_VERSION, TorchPickleError, read_tensors


class WrittenStorage:
    def __init__(self, key: str, kind: type, values: np.ndarray) -> None:
        self.key, self.kind, self.values = key, kind, values


class WrittenTensor:
    """It is pickled as torch pickles a tensor: by `torch._utils._rebuild_tensor_v2`, over a storage that stays outside the pickle."""

    def __init__(self, storage: WrittenStorage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class CheckpointPickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return ("storage", obj.kind, obj.key, "cpu", len(obj.values), None) if isinstance(obj, WrittenStorage) else None


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Replace torch while a checkpoint is written. Only its names enter the file."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def write(path: Path, state: object, storages: list[WrittenStorage], header: tuple[Any, ...] = (MAGIC_NUMBER, PROTOCOL_VERSION)) -> Path:
    with path.open("wb") as file:
        for value in (*header, {"little_endian": True}):
            pickle.dump(value, file, protocol=2)
        CheckpointPickler(file, protocol=2).dump(state)
        pickle.dump([storage.key for storage in storages], file, protocol=2)
        for storage in storages:
            file.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
    return path


def test_tensors_are_strided_views_of_their_storage(torch: Any, tmp_path: Path) -> None:
    floats = WrittenStorage("1", torch.FloatStorage, np.arange(10, dtype="<f4"))
    counts = WrittenStorage("2", torch.LongStorage, np.array([-3, 2**40], "<i8"))
    state = OrderedDict(
        rows=WrittenTensor(floats, 1, (2, 3), (3, 1)),
        transposed=WrittenTensor(floats, 1, (3, 2), (1, 3)),
        every_other=WrittenTensor(floats, 0, (4,), (2,)),
        scalar=WrittenTensor(counts, 1, (), ()),
        empty=WrittenTensor(counts, 2, (0, 5), (5, 1)),
    )
    tensors = read_tensors(write(tmp_path / "state.pth", state, [floats, counts]))
    np.testing.assert_array_equal(tensors["rows"], [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(tensors["transposed"], [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(tensors["every_other"], [0, 2, 4, 6])
    assert tensors["scalar"] == 2**40
    assert tensors["scalar"].dtype == np.int64
    assert tensors["empty"].shape == (0, 5)
    tensors["rows"][0, 0] = 99
    assert tensors["transposed"][0, 0] == 1  # the tensors share no memory


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ((5, (2, 3), (3, 1)), "reaches element 10"),
        ((0, (2,), (-1,)), "strides"),
        ((-1, (2,), (1,)), "offset -1"),
        ((0, (2, 2), (1,)), "strides"),
        ((0, (10**9,), (0,)), "larger than its storage"),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(
    torch: Any, tmp_path: Path, view: tuple[int, tuple[int, ...], tuple[int, ...]], says: str
) -> None:
    storage = WrittenStorage("1", torch.FloatStorage, np.zeros(10, "<f4"))
    path = write(tmp_path / "state.pth", {"w": WrittenTensor(storage, *view)}, [storage])
    with pytest.raises(TorchPickleError, match=says):
        read_tensors(path)


class Malicious:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


@pytest.mark.parametrize("place", ["header", "state"])
def test_code_in_the_pickle_is_refused_by_name_and_never_run(torch: Any, tmp_path: Path, place: str) -> None:
    trace = tmp_path / "trace"
    attack = Malicious(exec, f"open({str(trace)!r}, 'w').close()")
    path = tmp_path / "state.pth"
    write(path, {"w": attack}, []) if place == "state" else write(path, {}, [], (attack, PROTOCOL_VERSION))
    with pytest.raises(TorchPickleError, match=r"asks for __builtin__\.exec"):
        read_tensors(path)
    assert not trace.exists()


def test_a_tensor_built_from_anything_but_a_storage_is_refused(torch: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "state.pth", {"w": WrittenTensor("os", 0, (1,), (1,))}, [])  # type: ignore[arg-type]
    with pytest.raises(TorchPickleError, match="from an object of the class str"):
        read_tensors(path)


def test_a_file_of_another_format_is_refused(torch: Any, tmp_path: Path) -> None:
    storage = WrittenStorage("1", torch.FloatStorage, np.zeros(10, "<f4"))
    path = write(tmp_path / "state.pth", {"w": WrittenTensor(storage, 0, (10,), (1,))}, [storage])
    whole = path.read_bytes()
    for content, says in (
        (whole[:-1], "truncated"),
        (whole[:60], "damaged"),
        (b"", "damaged"),
        (b"PK\x03\x04" + bytes(50), "damaged|not a PyTorch"),
        (whole.replace(struct.pack("<q", 10), struct.pack("<q", 11)), "10 elements is stored with 11"),
    ):
        path.write_bytes(content)
        with pytest.raises(TorchPickleError, match=says):
            read_tensors(path)
    with pytest.raises(TorchPickleError, match="legacy"):
        read_tensors(write(path, {}, [], (12, PROTOCOL_VERSION)))
    with pytest.raises(TorchPickleError, match="protocol 9"):
        read_tensors(write(path, {}, [], (MAGIC_NUMBER, 9)))
    with pytest.raises(TorchPickleError, match="holds an object of the class list"):
        read_tensors(write(path, [], []))
    with pytest.raises(TorchPickleError, match="'epoch' is of the class int"):
        read_tensors(write(path, {"epoch": 3}, []))
