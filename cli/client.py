"""The HTTP client of `convscope demo` and `convscope gallery`: it uploads, submits, follows a job and fetches its artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

import httpx
from httpx_sse import EventSource, ServerSentEvent
from pydantic import JsonValue, ValidationError

from cli.failure import CommandFailed
from schemas.images import UploadedImage
from schemas.jobs import Artifact, JobBase, JobState, Progress, job_adapter
from schemas.models import ModelDescription
from schemas.problem import Problem

_MOST_RECONNECTIONS = 5  # to one event stream


class Client:
    """A client of the service at `url`.

    Every method raises `CommandFailed` if the service does not answer or answers with an error. The message holds the problem's
    detail. A command prints it, for example "GET /v1/models/x answered 422 unknown_model: …".
    """

    def __init__(self, url: str) -> None:
        # The service loads a model that nobody has asked for yet before it describes it, so a read may take long.
        self._http = httpx.Client(base_url=url, timeout=httpx.Timeout(10, read=120), trust_env=False)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def upload(self, name: str, content: bytes) -> UploadedImage:
        return UploadedImage.model_validate_json(self._call("POST", "/v1/images", files={"image": (name, content)}).content)

    def model(self, name: str) -> ModelDescription:
        return ModelDescription.model_validate_json(self._call("GET", f"/v1/models/{name}").content)

    def submit(self, method: str, model: str, params: Mapping[str, JsonValue], image_id: str | None) -> JobBase:
        body: dict[str, JsonValue] = {"method": method, "model": model, "params": dict(params)}
        if image_id is not None:
            body["image"] = {"id": image_id}
        return job_adapter.validate_json(self._call("POST", "/v1/jobs", json=body).content)

    def follow(self, job: JobBase, on_progress: Callable[[Progress], None]) -> JobBase:
        """Read the job's event stream until the job is done, and return the job.

        Args:
            job: the job as `submit` returned it.
            on_progress: is called with each progress event.

        Raises:
            CommandFailed: the job did not succeed.
        """
        for event in self._events(job):
            if event.event == "progress":
                on_progress(Progress.model_validate_json(event.data))
        ended = job_adapter.validate_json(self._call("GET", f"/v1/jobs/{job.id}").content)
        if ended.state is not JobState.SUCCEEDED:
            why = f"{ended.error.code}: {ended.error.detail}" if ended.error else f"its state is {ended.state}."
            raise CommandFailed(f"{ended.method} did not succeed: {why}")
        return ended

    def artifact(self, artifact: Artifact) -> bytes:
        """Return the artifact in its stored form: a PNG file, an npy file, or a document's text."""
        return self._call("GET", artifact.url, headers={"Accept": "*/*"}).content

    def _events(self, job: JobBase) -> Iterator[ServerSentEvent]:
        """Yield the job's events up to `done`. Connect again after the last event if the stream breaks off."""
        last_id = ""
        for attempt in range(_MOST_RECONNECTIONS + 1):
            headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
            try:
                with self._http.stream("GET", f"/v1/jobs/{job.id}/events", headers=headers) as response:
                    if response.is_error:
                        response.read()
                        raise CommandFailed(_problem(response))
                    for event in EventSource(response).iter_sse():
                        last_id = event.id or last_id
                        yield event
                        if event.event == "done":
                            return
            except httpx.TransportError as error:
                if attempt == _MOST_RECONNECTIONS:
                    raise CommandFailed(f"The event stream of {job.method} broke off {_MOST_RECONNECTIONS + 1} times: {error}") from error
        raise CommandFailed(f"The event stream of {job.method} ended {_MOST_RECONNECTIONS + 1} times before the job did.")

    def _call(self, verb: str, path: str, **arguments: object) -> httpx.Response:
        try:
            response = self._http.request(verb, path, **arguments)  # pyright: ignore[reportArgumentType]
        except httpx.TransportError as error:
            raise CommandFailed(f"The service does not answer {verb} {path}: {error or type(error).__name__}") from error
        if response.is_error:
            raise CommandFailed(_problem(response))
        return response


def _problem(response: httpx.Response) -> str:
    asked = f"{response.request.method} {response.request.url.path}"
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return f"{asked} answered {response.status_code}: {response.text[:500]}"
    return f"{asked} answered {problem.status} {problem.code}: {problem.detail}"
