"""A log line cannot be forged by text that a caller sends."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from telemetry.logs import LogFormat, configure_logs, get_logger

FORGED = 'x\n2026-01-01T00:00:00Z [info     ] key_revoked key=all\r\x1b[31m\u2028{"event": "key_revoked"}'


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    handlers, level, configuration = logging.getLogger().handlers, logging.getLogger().level, structlog.get_config()
    yield
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
