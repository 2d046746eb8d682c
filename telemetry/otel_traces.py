"""Make spans with OpenTelemetry and send them to a collector. Import this module only if traces are on; see `telemetry.traces`."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.errors import VisualizationError
from telemetry.logs import get_logger
from telemetry.traces import Attributes, Place, Span, SpanKind, activated

CLOSE_SECONDS = 3.0  # the time in which the last spans must be sent when a process ends

_KINDS = {"internal": trace.SpanKind.INTERNAL, "producer": trace.SpanKind.PRODUCER, "consumer": trace.SpanKind.CONSUMER}
_W3C = TraceContextTextMapPropagator()


class OtelTraces:
    """The traces of a process. `provider` decides which spans are kept and where they go."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self._tracer = provider.get_tracer("convscope", _version())

    @classmethod
    def to_collector(cls, endpoint: str, service_name: str) -> Self:
        """Return traces that a thread sends to a collector, many spans at a time.

        If the collector does not answer, spans are dropped and no work waits. Further settings are the variables `OTEL_*` of the
        OpenTelemetry specification.
        """
        own = {"service.name": service_name, "service.namespace": "convscope", "service.version": _version()}
        resource = Resource.create({**own, **OTELResourceDetector().detect().attributes})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
        return cls(provider)

    @contextmanager
    def span(
        self, name: str, attributes: Attributes | None = None, *, kind: SpanKind = "internal", parent: str | None = None
    ) -> Generator[Span]:
        context = None if parent is None else _context_of(parent)
        started = self._tracer.start_span(name, context=context, kind=_KINDS[kind], attributes=attributes)
        with _ended(started, activates=self) as current:
            yield current

    def here(self) -> Place:
        return Place(self, trace.set_span_in_context(trace.get_current_span(), Context()))

    def record(self, place: Place, name: str, times: tuple[int, int], attributes: Attributes, error_type: str | None) -> None:
        start, end = times
        recorded = self._tracer.start_span(name, context=place.context, attributes=attributes, start_time=min(start, end))
        if error_type is not None:
            OtelSpan(recorded).fail(error_type)
        recorded.end(end)

    @contextmanager
    def batch(self, places: Sequence[Place], name: str, attributes: Attributes) -> Generator[Span]:
        jobs = [trace.get_current_span(place.context).get_span_context() for place in places]
        sampled = [(place, job) for place, job in zip(places, jobs, strict=True) if job.trace_flags.sampled]
        if not sampled:
            yield OtelSpan(trace.INVALID_SPAN)
            return
        links = [Link(job) for _, job in sampled]
        together = self._tracer.start_span(f"{name} batch", context=Context(), attributes=attributes, links=links)
        back = [Link(together.get_span_context())] if together.is_recording() else []
        singles = [self._tracer.start_span(name, context=place.context, attributes=attributes, links=back) for place, _ in sampled]
        failed: str | None = None
        try:
            with _ended(together, activates=self) as current:
                yield current
        except BaseException as error:
            failed = error_type_of(error)
            raise
        finally:
            end = time.time_ns()
            for single in singles:
                if failed is not None:
                    OtelSpan(single).fail(failed)
                single.end(end)

    def close(self) -> None:
        # OpenTelemetry tries for up to 30 s to reach a collector that is gone, and a process that ends has less time than that.
        closing = threading.Thread(target=self.provider.shutdown, name="close-traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)
        if closing.is_alive():
            get_logger(__name__).warning("the last spans are lost, because the collector does not take them", waited=CLOSE_SECONDS)


class OtelSpan:
    """A span of OpenTelemetry, with what `telemetry.traces.Span` promises."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(self._span, Context()))
        return carrier.get("traceparent", "")

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))

    def link(self, traceparent: str) -> None:
        other = trace.get_current_span(_context_of(traceparent)).get_span_context()
        if other.is_valid:
            self._span.add_link(other)


def error_type_of(error: BaseException) -> str:
    """Return the code of an error that callers see, and otherwise the name of its class. Messages may hold what callers sent."""
    return error.code if isinstance(error, VisualizationError) else type(error).__name__


@contextmanager
def _ended(span: trace.Span, activates: OtelTraces) -> Generator[Span]:
    """Let the span be the current one inside the block, note the error that leaves it, and end the span."""
    own = OtelSpan(span)
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False), activated(activates):
        try:
            yield own
        except BaseException as error:
            own.fail(error_type_of(error))
            raise


def _context_of(traceparent: str) -> Context:
    """Return the context of a span in another process. It is empty if the text is empty or malformed, so that a new trace begins."""
    return _W3C.extract({"traceparent": traceparent}, Context()) if traceparent else Context()


def _version() -> str:
    try:
        return version("convscope")
    except PackageNotFoundError:
        return "0"  # a checkout that was not installed
