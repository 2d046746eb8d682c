"""Spans reach a collector over OTLP, and nothing is needed or imported while traces are off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from pydantic import ValidationError
from structlog.testing import capture_logs

from jobstore.settings import StoreSettings
from schemas.errors import QueueFull
from telemetry import otel_traces
from telemetry.traces import NO_TRACES, here, span, traces_to
from tests.traced import CALLER, TRACE, TRACEPARENT, traces_in_memory

WITHOUT_THE_EXTRA = """
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)

sys.meta_path.insert(0, Blocked())

from pydantic import ValidationError
import workers.execution.attempt
from jobstore.settings import StoreSettings, setting_problems
from telemetry.traces import span, traces_to

with traces_to(StoreSettings().traces_endpoint, "test").span("a"), span("b") as inner:
    print(repr(inner.traceparent))
try:
    StoreSettings(traces_endpoint="http://me:secret@localhost:4318")
except ValidationError as error:
    print(*setting_problems(error))
"""


class Collector:
    """Receives spans as an OpenTelemetry collector does. It answers while `answers` is set."""

    def __init__(self) -> None:
        self.answers = answers = Event()
        answers.set()
        received: list[tuple[str, str | None, ExportTraceServiceRequest]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.path, self.headers["X-Token"], ExportTraceServiceRequest.FromString(body)))
                answers.wait(30)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the name of the base class

        self.received = received
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    serving = Thread(target=collector.server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    yield collector
    collector.answers.set()
    collector.server.shutdown()
    serving.join()
    collector.server.server_close()


def test_spans_reach_a_collector(collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Token=abc")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=lab")
    traces = traces_to(collector.url + "/", "convscope-test")
    with pytest.raises(QueueFull), traces.span("send fast", {"convscope.method": "predict"}, kind="producer", parent=TRACEPARENT):
        raise QueueFull("The text of an error is not sent.")
    traces.close()
    ((path, token, request),) = collector.received
    assert (path, token) == ("/v1/traces", "abc")
    resource = {each.key: each.value.string_value for each in request.resource_spans[0].resource.attributes}
    assert resource["service.name"] == "convscope-test"
    assert resource["deployment.environment.name"] == "lab"
    (sent,) = request.resource_spans[0].scope_spans[0].spans
    assert (sent.name, int.from_bytes(sent.trace_id), int.from_bytes(sent.parent_span_id)) == ("send fast", TRACE, CALLER)
    assert {each.key: each.value.string_value for each in sent.attributes} == {"convscope.method": "predict", "error.type": "queue_full"}
    assert (sent.status.code, sent.status.message, len(sent.events)) == (Status.STATUS_CODE_ERROR, "", 0)


def test_a_collector_that_does_not_answer_holds_nobody_up(collector, monkeypatch):
    monkeypatch.setattr(otel_traces, "CLOSE_SECONDS", 0.2)
    collector.answers.clear()
    traces = traces_to(collector.url, "convscope-test")
    with traces.span("a"):
        pass
    with capture_logs() as lines:
        traces.close()
    assert not collector.answers.is_set()
    assert [line["log_level"] for line in lines] == ["warning"]


def test_the_operator_names_the_service(collector, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "frogs")
    traces = traces_to(collector.url, "convscope-test")
    with traces.span("a"):
        pass
    traces.close()
    resource = collector.received[0][2].resource_spans[0].resource
    assert {each.key: each.value.string_value for each in resource.attributes}["service.name"] == "frogs"


def test_steps_inside_a_span_are_its_children():
    with traces_in_memory() as traces:
        with traces.span("outer", parent=TRACEPARENT) as outer:
            assert outer.traceparent.startswith(f"00-{TRACE:032x}-")
            place = here()
            with span("inner"):
                pass
        place.record("later", (5, 7), {"n": 1}, "timeout")
        assert traces.parents() == {"outer": None, "inner": "outer", "later": "outer"}
        later = traces.one("later")
        assert (later.start_time, later.end_time, later.attributes) == (5, 7, {"n": 1, "error.type": "timeout"})
    assert here().traces is NO_TRACES


@pytest.mark.parametrize("traceparent", ["", "x", "00-0-0-01", f"ff-{TRACE:032x}-{CALLER:016x}-01"])
def test_a_malformed_parent_begins_a_new_trace(traceparent):
    with traces_in_memory() as traces:
        with traces.span("a", parent=traceparent) as made:
            made.link(traceparent)
        assert traces.one("a").parent is None
        assert traces.one("a").links == ()


def test_a_collector_needs_an_address():
    assert StoreSettings(traces_endpoint="").traces_endpoint is None
    with pytest.raises(ValidationError, match="begins with http:// or https://"):
        StoreSettings(traces_endpoint="localhost:4318")


def test_the_extra_is_needed_only_with_an_endpoint():
    done = subprocess.run([sys.executable, "-c", WITHOUT_THE_EXTRA], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    traceparent, problem = done.stdout.splitlines()
    assert traceparent == "''"
    assert problem.startswith("CONVSCOPE_TRACES_ENDPOINT: ")
    assert "install convscope[traces]" in problem
    assert "secret" not in problem
