"""Send to the log what Python itself writes to stderr: warnings, and exceptions that nobody has caught.

Their texts can hold names from a model file or from a request. In the log they stay on lines of their own.
"""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType

_log = logging.getLogger("python")


def log_python_reports() -> None:
    """Log warnings, exceptions that end the process or a thread, and those in finalisers. An entry point calls this once."""
    logging.captureWarnings(True)
    sys.excepthook = _process_failed
    threading.excepthook = _thread_failed
    sys.unraisablehook = _finaliser_failed


def _process_failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log.critical("process_failed", exc_info=(kind, error, trace))


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None and not isinstance(failure.exc_value, SystemExit):
        thread = failure.thread.name if failure.thread else None
        _log.error("thread_failed", exc_info=(failure.exc_type, failure.exc_value, failure.exc_traceback), extra={"failed_thread": thread})


def _finaliser_failed(failure: sys.UnraisableHookArgs) -> None:
    if failure.exc_value is not None:
        _log.error(
            "finaliser_failed",
            exc_info=(failure.exc_type, failure.exc_value, failure.exc_traceback),
            extra={"where": repr(failure.object), "why": failure.err_msg},
        )
