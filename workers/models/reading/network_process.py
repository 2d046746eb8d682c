"""The program of the child process that reads an ONNX or TFLite file. It has the file's runtime, and neither TensorFlow nor a network.

Its arguments are numbers of open files and a question in JSON: the kind of file, its name, and the limits. It writes the content that the
worker is to run to one file and an answer in JSON to another: a `NetworkFile`, or `refused` with `detail`, `allowed` and `got`.
"""

from __future__ import annotations

import codecs
import errno
import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import IO, Any

from schemas.errors import ModelLoadFailed
from workers.models.guards.refusal import FileRefused, check_size
from workers.models.limits import ModelLimits
from workers.models.reading import onnx_contents, tflite_contents
from workers.models.reading.confinement import confine, end_if_parent_has_gone
from workers.models.reading.network_file import NetworkFile

_ReadNetwork = Callable[[bytes, str, ModelLimits], tuple[bytes, NetworkFile]]
_TryNetwork = Callable[[bytes, str, ModelLimits], None]
KINDS: dict[str, tuple[_ReadNetwork, _TryNetwork]] = {
    "onnx": (onnx_contents.read_onnx, onnx_contents.try_onnx),
    "tflite": (tflite_contents.read_tflite, tflite_contents.try_tflite),
}
"""For each source of such files, how one is read and how it is tried out."""
# These are imported before no file can be opened any more.
_MODULES = {
    "onnx": ("onnx", "onnxruntime"),
    "tflite": ("ai_edge_litert.interpreter", "ai_edge_litert.schema_py_generated", "flatbuffers"),
}
_CODECS = ("ascii", "latin-1", "utf-8")  # Python loads these from files, and no file can be opened later


def answer(question: dict[str, Any], source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """Read and try out one file, write its content to `target`, and return the answer."""
    limits = ModelLimits.model_validate_json(question["limits"])
    read, try_out = KINDS[question["kind"]]
    try:
        check_size(os.fstat(source.fileno()).st_size, limits.max_file_bytes, "has")
        content, known = read(source.read(limits.max_file_bytes), question["file"], limits)
        try_out(content, question["file"], limits)
        target.write(content)
        target.flush()
    except FileRefused as refusal:
        return {"refused": {"detail": refusal.detail, "allowed": refusal.allowed, "got": refusal.got}}
    except ModelLoadFailed as refusal:
        return {"refused": {"sentence": refusal.detail, "allowed": refusal.allowed, "got": refusal.got}}
    except MemoryError:
        return {"refused": {"detail": f"takes more memory to read than the {question['memory_bytes']} bytes that are allowed."}}
    except RecursionError:
        return {"refused": {"detail": "is nested too deeply."}}
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return {"failed": "there is no room for its contents in the folder of temporary files."}
        raise
    return known.model_dump(mode="json")


def main() -> None:
    source, target, answers, parent = map(int, sys.argv[1:5])
    question: dict[str, Any] = json.loads(sys.argv[5])
    files = os.fdopen(source, "rb"), os.fdopen(target, "wb"), os.fdopen(answers, "w", encoding="utf-8")
    for name in _CODECS:
        codecs.lookup(name)
    for module in _MODULES[question["kind"]]:
        importlib.import_module(module)
    if question["kind"] == "tflite":
        tflite_contents.start_runtime()
    confine(**{name: question[name] for name in ("memory_bytes", "cpu_seconds", "file_bytes")})
    end_if_parent_has_gone(parent)
    with files[2] as out:
        json.dump(answer(question, *files[:2]), out)


if __name__ == "__main__":
    main()
