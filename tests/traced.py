"""Traces that stay in memory, for tests of what is traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry.otel_traces import OtelTraces

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
CALLER = 0x00F067AA0BA902B7
TRACEPARENT = f"00-{TRACE:032x}-{CALLER:016x}-01"  # the example of W3C Trace Context


class TracesInMemory(OtelTraces):
    """Keeps the spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        super().__init__(provider)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def one(self, name: str) -> ReadableSpan:
        """Return the only span of this name."""
        (found,) = (span for span in self.spans if span.name == name)
        return found

    def parents(self, trace: int = TRACE) -> dict[str, str | None]:
        """Return the name of each span of a trace with the name of its parent, None if that is in another process."""
        names = {span.context.span_id: span.name for span in self.spans}
        return {span.name: names.get(span.parent.span_id) if span.parent else None for span in self.spans if span.context.trace_id == trace}


@contextmanager
def traces_in_memory() -> Iterator[TracesInMemory]:
    traces = TracesInMemory()
    yield traces
    traces.close()
