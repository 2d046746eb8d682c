"""Structured logs on stderr: one JSON object a line, or readable columns where a person looks at a terminal.

What belongs to all lines of a piece of work (job, request, worker) is bound once with `bound` and follows it through awaits
and through `asyncio.to_thread`.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

bound = structlog.contextvars.bound_contextvars
bind = structlog.contextvars.bind_contextvars


def configure_logs(level: LogLevel = "info", log_format: LogFormat = "auto") -> None:
    """Sends structlog's and the standard library's log records through one renderer to stderr. Called once, by an entry point.

    `auto` is `console` on a terminal and `json` elsewhere.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ends: list[Processor] = (
        # Rich tracebacks take seconds to draw, and show what variables hold.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
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
    # They report each HTTP request and each deserialised layer at INFO and below.
    for name in ("absl", "tensorflow", "h5py", "PIL", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines carry `name` and whatever is bound."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
