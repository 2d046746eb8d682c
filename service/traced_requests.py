"""Say which requests get a span, and what the span may hold. FastAPI itself makes it, by the semantic conventions of HTTP."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig

from telemetry.traces import Traces


def request_spans(traces: Traces) -> TelemetryConfig:
    """Return what FastAPI is told about OpenTelemetry.

    Only spans are made. FastAPI's metrics would repeat those of `/metrics`, and its log records hold what callers sent.
    """
    return TelemetryConfig(
        tracing=traces.provider is not None,
        tracer_provider=traces.provider,
        metrics=False,
        logs=False,
        operation_spans=False,
        auto_configure=False,
        exclude=_submits_nothing,
    )


def _submits_nothing(scope: MutableMapping[str, Any]) -> bool:
    """Leave out requests that only read. They are many, and the span would show the signature of a signed address."""
    return scope.get("method") != "POST"
