"""A TFLite file is checked before LiteRT sees it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import pytest
from ai_edge_litert.schema_py_generated import BuiltinOperator, ExternalBufferT, ModelT

from schemas.errors import ModelLoadFailed
from tests.workers.models.forward_only_files import assert_refused, load, saved, tflite_net
from workers.models.limits import ModelLimits


def changed(change: Callable[[Any], None]) -> bytes:
    model = ModelT.InitFromPackedBuf(tflite_net(), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_operator(number: int, custom: bytes | None = None) -> bytes:
    def change(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode, code.deprecatedBuiltinCode, code.customCode = number, min(number, 127), custom

    return changed(change)


def test_operators_of_other_libraries_and_loops_are_refused(tmp_path: Path) -> None:
    """`FlexReadFile` would run TensorFlow's ReadFile, which reads any file of the machine."""
    path = saved(with_operator(BuiltinOperator.CUSTOM, b"FlexReadFile"), tmp_path / "net.tflite")
    assert_refused(path, "operator 'FlexReadFile' of another library")
    saved(with_operator(BuiltinOperator.WHILE), path)
    assert_refused(path, "operator 'WHILE', which may run without an end")


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    def change(model: Any) -> None:
        model.externalBuffers = [ExternalBufferT()]

    assert_refused(saved(changed(change), tmp_path / "net.tflite"), "keeps values in other files")


def test_sizes_are_bounded(tmp_path: Path) -> None:
    path = saved(tflite_net(), tmp_path / "net.tflite")
    assert_refused(path, r"has \d+ parameters; at most 1500 are allowed", limits=ModelLimits(max_parameters=1500))
    assert_refused(path, r"bytes; at most 99 are allowed", limits=ModelLimits(max_file_bytes=99))

    def change(model: Any) -> None:
        model.subgraphs[0].operators *= 9

    assert_refused(saved(changed(change), path), "has more than 5 operators", limits=ModelLimits(max_layers=1))


@pytest.mark.parametrize("position", range(4, 400, 44))
def test_damaged_bytes_are_refused_or_harmless(tmp_path: Path, position: int) -> None:
    """Offsets that lead anywhere end in an error of ours, if in any, and soon."""
    content = bytearray(tflite_net())
    content[position : position + 4] = b"\xff\xff\xff\x7f"
    with contextlib.suppress(ModelLoadFailed):
        load(saved(bytes(content), tmp_path / "net.tflite"))
