"""The client of the demo, against a server that breaks off connections as networks do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cli.client import Client
from cli.failure import CommandFailed
from schemas.jobs import JOB_CLASSES, JobBase, JobError, JobState, Progress, Timings
from schemas.methods.inspection.predict import Predict
from schemas.problem import Problem

_NOW = datetime(2026, 1, 2, tzinfo=UTC)


def _job(state: JobState, error: JobError | None = None) -> JobBase:
    return JOB_CLASSES["predict"](
        id="01K00000000000000000000000",
        method="predict",
        model="efficientnet_lite0",
        url="/v1/jobs/01K00000000000000000000000",
        events_url="/v1/jobs/01K00000000000000000000000/events",
        state=state,
        params=Predict(),
        priority="normal",
        progress=None,
        queue_position=None,
        attempts=1,
        cached=False,
        created_at=_NOW,
        started_at=_NOW,
        finished_at=_NOW,
        expires_at=_NOW,
        timings=Timings(),
        facts=None,
        warnings=(),
        artifacts=(),
        provenance=None,
        error=error,
    )


@dataclass
class _Server:
    """Answer each request with the next of `answers`: (status, content type, body, whole). An answer that is not whole breaks off."""

    answers: list[tuple[int, str, str, bool]]
    url: str = ""
    last_event_ids: list[str | None] = field(default_factory=list)

    def __enter__(self) -> _Server:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body, whole = server.answers.pop(0)
                if kind == "text/event-stream":
                    server.last_event_ids.append(self.headers["Last-Event-ID"])
                content = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content) + (0 if whole else 10)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _events(*events: tuple[int, str, str]) -> str:
    return "".join(f"id: {number}\nevent: {kind}\ndata: {data}\n\n" for number, kind, data in events)


def _stream(body: str, *, whole: bool) -> tuple[int, str, str, bool]:
    return 200, "text/event-stream", body, whole


def _json(model: JobBase | Problem, status: int = 200, kind: str = "application/json") -> tuple[int, str, str, bool]:
    return status, kind, model.model_dump_json(), True


def test_a_stream_that_breaks_off_is_continued_after_its_last_event() -> None:
    steps: list[tuple[int, int]] = []

    def on_progress(progress: Progress) -> None:
        steps.append((progress.step, progress.total))

    first = _events((1, "status", '{"state": "running"}'), (2, "progress", '{"step": 1, "total": 3}'))
    second = ": ping\n\n" + _events((3, "progress", '{"step": 3, "total": 3}'), (4, "done", "{}"))
    answers = [_stream(first, whole=False), _stream(second, whole=True), _json(_job(JobState.SUCCEEDED))]
    with _Server(answers) as server, Client(server.url) as client:
        ended = client.follow(_job(JobState.QUEUED), on_progress)
    assert ended.state is JobState.SUCCEEDED
    assert steps == [(1, 3), (3, 3)]
    assert server.last_event_ids == [None, "2"]


def test_a_stream_that_only_breaks_off_is_given_up() -> None:
    with (
        _Server([_stream("", whole=False)] * 9) as server,
        Client(server.url) as client,
        pytest.raises(CommandFailed, match="broke off 6 times"),
    ):
        client.follow(_job(JobState.QUEUED), lambda _: None)
    assert len(server.last_event_ids) == 6


def test_a_stream_that_ends_before_the_job_is_given_up() -> None:
    with (
        _Server([_stream("", whole=True)] * 9) as server,
        Client(server.url) as client,
        pytest.raises(CommandFailed, match="ended 6 times before"),
    ):
        client.follow(_job(JobState.QUEUED), lambda _: None)


def test_a_failed_job_is_reported_with_its_error() -> None:
    failed = _job(JobState.FAILED, JobError(code="model_load_failed", detail="No weights for 'vgg16'.", retryable=True))
    answers = [_stream(_events((1, "done", "{}")), whole=True), _json(failed)]
    with (
        _Server(answers) as server,
        Client(server.url) as client,
        pytest.raises(CommandFailed, match=r"predict did not succeed: model_load_failed: No weights for 'vgg16'\."),
    ):
        client.follow(_job(JobState.QUEUED), lambda _: None)


def test_a_problem_is_reported_with_its_detail() -> None:
    problem = Problem(
        type="/problems/x", title="t", status=422, detail="There is no model 'x'.", code="unknown_model", retryable=False, request_id="r"
    )
    with (
        _Server([_json(problem, 422, "application/problem+json")]) as server,
        Client(server.url) as client,
        pytest.raises(CommandFailed, match=r"GET /v1/models/x answered 422 unknown_model: There is no model 'x'\."),
    ):
        client.model("x")


def test_an_error_that_is_no_problem_document_is_reported_with_its_body() -> None:
    with (
        _Server([(502, "text/plain", "bad gateway", True)]) as server,
        Client(server.url) as client,
        pytest.raises(CommandFailed, match="answered 502: bad gateway"),
    ):
        client.model("x")


def test_a_service_that_does_not_answer_is_reported() -> None:
    with _Server([]) as server:
        url = server.url
    with Client(url) as client, pytest.raises(CommandFailed, match="The service does not answer GET /v1/models/x"):
        client.model("x")
