"""Structured logs on stderr: one JSON object per line, or readable columns on a terminal.

Fields that belong to every line about a job, a request or a worker are bound once. `bound` binds them inside a `with` block and
`bind` for good. They follow the work through `await` and `asyncio.to_thread`.

Example:
    with bound(job=job.id):
        get_logger(__name__).info("job claimed", method=job.method)
"""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import ExcInfo, Processor

from telemetry.python_reports import log_python_reports

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

# C0 and C1 controls, line and paragraph separators, and the controls of writing direction.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

bound = structlog.contextvars.bound_contextvars
bind = structlog.contextvars.bind_contextvars


def configure_logs(level: LogLevel = "info", log_format: LogFormat = "auto") -> None:
    """Send the log records of structlog and of the standard library to stderr. An entry point calls this once.

    Args:
        level: records below this level are dropped.
        log_format: `json` for one JSON object per line, `console` for readable columns, or `auto` for `console` on a terminal and
            `json` elsewhere.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ends: list[Processor] = (
        [_one_line_each, structlog.dev.ConsoleRenderer(exception_formatter=_indented_traceback)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    log_python_reports()
    # These libraries report each HTTP request and each deserialised layer at INFO and below.
    for name in ("absl", "tensorflow", "h5py", "PIL", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _one_line_each(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what could end the line or move the cursor in the texts of a line, so that nobody's text looks like another line.

    JSON does this by itself. Values that are no text are shown by `repr`, which does it too.
    """
    return {name: _escaped(value) if isinstance(value, str) else value for name, value in line.items()}


def _escaped(text: str) -> str:
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _indented_traceback(out: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback with each line indented. Rich ones take seconds to draw, and they print the values of variables."""
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    out.write("".join(f"\n    {_escaped(line)}" for line in plain.getvalue().split("\n")))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines carry `name` and all bound fields."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
