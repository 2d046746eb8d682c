"""Traces: spans tell how long each step of a job took, in all processes that it goes through.

Processes that send traces use `telemetry.otel_traces.OtelTraces`. All others use `NO_TRACES`, which does nothing, so that the packages
of the extra `convscope[traces]` are neither needed nor imported.

An entry point makes the traces of its process with `traces_to` and hands them down. Inside a span, code that was handed nothing calls
`span` and `here`, which follow the work through `await` and `asyncio.to_thread`, as the fields of log lines do.

Example:
    with traces.span("submit", {"convscope.method": "predict"}):
        with span("check"):  # becomes a child of "submit"
            ...
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol

Attributes = Mapping[str, str | int | float | bool]
SpanKind = Literal["internal", "producer", "consumer"]


class Span(Protocol):
    """A step that is under way."""

    @property
    def traceparent(self) -> str:
        """The span's place in its trace, as the header `traceparent` of W3C Trace Context writes it. It is empty if there is no span."""
        ...

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""
        ...

    def fail(self, error_type: str) -> None:
        """Mark the step as failed. `error_type` is the code or the class of the error."""
        ...

    def link(self, traceparent: str) -> None:
        """Point to a span of another trace. An empty or malformed `traceparent` is ignored."""
        ...


class Traces(Protocol):
    """Makes the spans of a process."""

    @property
    def provider(self) -> Any:
        """The OpenTelemetry tracer provider, for libraries that make spans of their own; None if nothing is traced."""
        ...

    def span(
        self, name: str, attributes: Attributes | None = None, *, kind: SpanKind = "internal", parent: str | None = None
    ) -> AbstractContextManager[Span]:
        """Return a context whose block is one step. If the block raises an error, the span names the class or the code of the error.

        `parent` is the `traceparent` of the step before this one, in another process. If it is empty, a new trace begins. If it is None,
        the span that surrounds the block is the parent.
        """
        ...

    def here(self) -> Place:
        """Return the place in the trace of this thread or task."""
        ...

    def record(self, place: Place, name: str, times: tuple[int, int], attributes: Attributes, error_type: str | None) -> None:
        """Make a span that has ended, as a child of `place`. `times` are its start and end, in nanoseconds since 1970."""
        ...

    def batch(self, places: Sequence[Place], name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """Return a context whose block does one step for several jobs at once.

        The step gets a span in a trace of its own, with a link to each job's place. Each job's trace gets a span of the same name, with a
        link to the step's span.
        """
        ...

    def close(self) -> None:
        """Send the spans that have not been sent. This blocks for a few seconds if nobody takes them."""
        ...


@dataclass(frozen=True)
class Place:
    """A place in a trace. It goes with work that is handed to another thread. `context` belongs to `traces`."""

    traces: Traces
    context: Any = None

    def record(self, name: str, times: tuple[int, int], attributes: Attributes, error_type: str | None = None) -> None:
        """Make a span that has ended, as a child of this place. `times` are its start and end, in nanoseconds since 1970."""
        self.traces.record(self, name, times, attributes, error_type)


class NullSpan:
    """The span of a process that traces nothing."""

    traceparent = ""

    def note(self, attributes: Attributes) -> None: ...
    def fail(self, error_type: str) -> None: ...
    def link(self, traceparent: str) -> None: ...


_NOTHING: AbstractContextManager[Span] = nullcontext(NullSpan())


class NullTraces:
    """Traces nothing."""

    provider = None

    def span(
        self, name: str, attributes: Attributes | None = None, *, kind: SpanKind = "internal", parent: str | None = None
    ) -> AbstractContextManager[Span]:
        return _NOTHING

    def here(self) -> Place:
        return _NOWHERE

    def record(self, place: Place, name: str, times: tuple[int, int], attributes: Attributes, error_type: str | None) -> None: ...

    def batch(self, places: Sequence[Place], name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        return _NOTHING

    def close(self) -> None: ...


NO_TRACES: Traces = NullTraces()
_NOWHERE = Place(NO_TRACES)
_active: ContextVar[Traces] = ContextVar("traces", default=NO_TRACES)


def span(name: str, attributes: Attributes | None = None) -> AbstractContextManager[Span]:
    """Return a context whose block is one step of the span that surrounds it. Nothing happens if no span does."""
    return _active.get().span(name, attributes)


def here() -> Place:
    """Return the place in the trace of this thread or task, to hand it to another thread."""
    return _active.get().here()


def batch_span(places: Sequence[Place], name: str, attributes: Attributes) -> AbstractContextManager[Span]:
    """Return a context whose block does one step for all jobs of these places; see `Traces.batch`."""
    traced = [place for place in places if place.traces is not NO_TRACES]
    return traced[0].traces.batch(traced, name, attributes) if traced else _NOTHING


@contextmanager
def activated(traces: Traces) -> Generator[None]:
    """Let `span` and `here` use these traces inside the block."""
    token = _active.set(traces)
    try:
        yield
    finally:
        _active.reset(token)


def queue_attributes(operation: Literal["send", "process"], queue: str) -> dict[str, str]:
    """Return the attributes of a span that puts work into a queue or takes it out, by the semantic conventions of messaging."""
    return {
        "messaging.system": "redis",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
    }


def traces_to(endpoint: str | None, service_name: str) -> Traces:
    """Return traces that are sent to the collector at `endpoint`, for example `http://localhost:4318`; none are sent if it is None.

    Args:
        endpoint: the base address of a collector that speaks OTLP over HTTP.
        service_name: the name under which the collector sees this process, if `OTEL_SERVICE_NAME` gives no other.

    Raises:
        ModuleNotFoundError: The packages of the extra `convscope[traces]` are not installed.
    """
    if endpoint is None:
        return NO_TRACES
    traces: Traces = import_module("telemetry.otel_traces").OtelTraces.to_collector(endpoint, service_name)
    return traces
