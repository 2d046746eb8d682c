"""A log line cannot be forged by text that a caller sends."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from telemetry.logs import LogFormat, configure_logs, get_logger

FORGED = 'x\n2026-01-01T00:00:00Z [info     ] key_revoked key=all\r\x1b[31m\u2028{"event": "key_revoked"}'


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    handlers, level, configuration = logging.getLogger().handlers, logging.getLogger().level, structlog.get_config()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.getLogger().handlers, logging.getLogger().level = handlers, level
    structlog.configure(**configuration)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_text_of_a_caller_stays_on_its_line(capsys: pytest.CaptureFixture[str], log_format: LogFormat) -> None:
    configure_logs("info", log_format)
    get_logger("tests").info("request", path=FORGED, names=[FORGED], label={"a": FORGED})
    logging.getLogger("another.library").warning("could not read %s", FORGED, extra={"file": FORGED})
    lines = capsys.readouterr().err.splitlines()  # this also splits at U+2028 and \r
    assert len(lines) == 2, lines
    assert not any(line.lstrip().startswith("2026-01-01") for line in lines)
    if log_format == "json":
        assert [json.loads(line)["event"] for line in lines] == ["request", f"could not read {FORGED}"]
    assert "\x1b[31m\u2028" not in "".join(lines)


def test_the_text_of_an_error_is_indented_and_shows_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "console")
    try:
        raise ValueError(FORGED)
    except ValueError:
        get_logger("tests").exception("failed")
    first, *rest = capsys.readouterr().err.splitlines()
    assert "failed" in first
    assert any("test_logs.py" in line for line in rest)
    assert all(line.startswith("    ") for line in rest if line)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_what_python_itself_reports_is_a_line_of_the_log(log_format: LogFormat) -> None:
    """Keras warns with names of layers, and the message of an exception may hold a text from a file."""
    program = f"""
import sys, threading, warnings
from telemetry.logs import configure_logs

class Finalised:
    def __del__(self):
        raise ValueError(text)

def fail():
    raise ValueError(text)

text = sys.argv[1]
configure_logs("info", {log_format!r})
warnings.warn(text)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Finalised()
fail()
"""
    run = subprocess.run([sys.executable, "-c", program, FORGED], capture_output=True, check=False, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    lines = [line for line in run.stderr.splitlines() if line]
    assert not any(line.startswith(("2026-01-01", '{"event": "key_revoked"')) for line in lines)
    if log_format == "json":
        events = [json.loads(line) for line in lines]
        assert [each["level"] for each in events] == ["warning", "error", "error", "critical"]
        assert FORGED in events[0]["event"]
        assert all(FORGED in each["exception"] for each in events[1:])
    else:
        written = "\n".join(lines)
        assert all(word in written for word in ("UserWarning", "thread_failed", "finaliser_failed", "process_failed"))
        assert "\x1b[31m\u2028" not in written
