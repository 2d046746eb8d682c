"""Open the runtimes of ONNX and TFLite files. The process that tries such files has this module too, and no TensorFlow."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any


def open_session(content: bytes, threads: int, memory_bytes: int | None = None) -> Any:
    """Return a session of onnxruntime for the bytes of a checked ONNX file. It runs on the processor.

    Args:
        content: the file.
        threads: how many threads one operation uses.
        memory_bytes: all sessions of this process that are opened with a bound take at most so many bytes together. The first bound
            counts. A run that needs more raises an error with the words "smaller than requested".

    Raises:
        Exception: onnxruntime cannot run the file; its errors have no class of their own.
    """
    import onnxruntime  # noqa: PLC0415 - the extra `onnx` brings it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors come as exceptions
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not take the time of others
    if memory_bytes is not None:
        _arena().bound(memory_bytes)
        options.add_session_config_entry("session.use_env_allocators", "1")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def open_interpreter(content: bytes, threads: int) -> Any:
    """Return an interpreter of LiteRT for the bytes of a checked TFLite file. `threads` is how many threads one operation uses.

    Raises:
        ValueError, RuntimeError: LiteRT cannot run the file.
    """
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - the extra `tflite` brings it

    return Interpreter(model_content=content, num_threads=threads)


@cache
def _arena() -> _Arena:
    """Return the memory of the sessions of this process; onnxruntime has one for each process, and registers it once."""
    return _Arena()


class _Arena:
    """The memory of the sessions of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bound: int | None = None

    def bound(self, memory_bytes: int) -> None:
        """Register the memory with onnxruntime, unless that has been done before."""
        import onnxruntime  # noqa: PLC0415

        with self._lock:
            if self._bound is not None:
                return
            settings = onnxruntime.OrtArenaCfg({"max_mem": memory_bytes, "arena_extend_strategy": 1})  # 1: it grows by what is asked for
            kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
            onnxruntime.create_and_register_allocator(onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use), settings)
            self._bound = memory_bytes
