"""Define what the parts of the store take and return.

The store knows no methods: it passes parameters and facts on as JSON, and the service and the worker give them their types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, JsonValue
from pydantic_core import from_json

from jobstore.batch_item_place import BatchItemPlace
from schemas.artifacts import DeferredPicture, EncodedArtifact
from schemas.jobs import InlineArray, JobBase, Priority, Progress, Provenance, Timings, artifact_url, events_url, job_url
from schemas.methods.card import Lane

EventType = Literal["status", "progress", "preview", "done"]
DESCRIBE = "describe"  # the internal method by which a worker publishes a model's description
INTERNAL_OWNER = "internal:models"  # the owner of internal jobs; no caller's name holds a colon


@dataclass(frozen=True)
class Submission:
    """A validated job that is to be submitted.

    `params` are complete, as canonical JSON, so that equal parameters are equal texts. `fingerprint` must change with everything that the
    model's results depend on. `model_digest` is the digest of the catalogue entry that the request was checked against; it is empty without
    a model. `image` is the file's bytes; it is None if the method needs no image or if `image_id` names an upload. `image_ids` name the
    uploads that the method reads besides. `inputs` says which file each further input of the model is given, by the input's name: the id
    of an uploaded file, or of one of `input_files`, which come with the submission. `further_models` are the digests of the catalogue
    entries of the models that the job runs besides, by name. `short_lived` jobs live for `one_line_ttl` after their end. `fresh` (from
    `Cache-Control: no-cache`) takes no result of an earlier job and joins only an execution that is `fresh` itself.
    `body_digest` is the sha256 of the request; requests with one `idempotency_key` must have the same digest. `place` is that of an
    item of a batch: the batch holds its image. `caller` is whose jobs under way are limited; with None, only the limit of the whole queue
    applies. `traceparent` is the place in a trace where the execution goes on (W3C Trace Context); it is empty if nothing is traced.
    """

    owner: str
    method: str
    model: str
    lane: Lane
    priority: Priority
    params: str
    fingerprint: str
    model_digest: str = ""
    image: bytes | None = None
    image_id: str | None = None
    image_ids: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    input_files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    further_models: Mapping[str, str] = field(default_factory=dict[str, str])
    short_lived: bool = False
    request_id: str = ""
    fresh: bool = False
    idempotency_key: str | None = None
    body_digest: str = ""
    place: BatchItemPlace | None = None
    caller: str | None = None
    traceparent: str = ""


class JobRecord(JobBase):
    """A job as its owner sees it: its own fields and those of the execution that it shares with identical jobs.

    Redis holds every field under the name it has here and in the contract, so a snapshot of a job (`snapshot` in records.lua) is validated
    by this model, and this model's JSON is the answer of `GET /v1/jobs/{id}`. A new field needs a line in `schemas.jobs.JobBase` and one
    in the script that writes it, or in `jobstore/outcome.py` if it comes with the result. If a script writes it and its value is not a
    number or a text, `_JSON_FIELDS` also needs its name.

    `params` and `facts` are not typed by the method here, so that a job stays readable after an upgrade that has changed their types.
    """

    params: dict[str, JsonValue]  # pyright: ignore[reportIncompatibleVariableOverride,reportGeneralTypeIssues]
    facts: dict[str, JsonValue] | None  # pyright: ignore[reportIncompatibleVariableOverride,reportGeneralTypeIssues]
    owner: str = Field(exclude=True)
    lane: Lane = Field(exclude=True)
    request_id: str = Field(exclude=True)
    execution_id: str = Field(exclude=True)
    files: str | None = Field(exclude=True, description="The names of the stored files that hold the artifacts, separated by spaces.")
    gave_way: bool = Field(exclude=True, description="If it is true, the results were deleted because there was no room for them.")
    image: str | None = Field(exclude=True, description="The sha256 of the photo. It is empty or None if the method needs none.")
    traceparent: str | None = Field(exclude=True, description="The place in a trace where the execution began, if it is traced.")
    drawings: dict[str, JsonValue] = Field(exclude=True, description="The drawings of the pictures that are drawn when they are fetched.")

    @classmethod
    def from_redis(cls, fields: Mapping[str, str], owner: str) -> Self:
        """Return the record of a snapshot's fields.

        Times are milliseconds since 1970, and `_JSON_FIELDS` are JSON texts. `outcome` is the JSON object of `jobstore/outcome.py`.
        """
        empty: dict[str, Any] = {"attempts": 0, "timings": {}, "warnings": (), "artifacts": (), "drawings": {}, "gave_way": False}
        values: dict[str, Any] = dict.fromkeys(cls.model_fields) | empty
        values |= {name: from_json(text) if name in _JSON_FIELDS else text for name, text in fields.items() if name != "outcome"}
        values |= from_json(fields.get("outcome", "{}"))
        started, created = fields.get("started_at"), fields["created_at"]
        values["timings"]["queued"] = max(0, int(started) - int(created)) if started else None
        kept = from_json(fields.get("kept", "{}"))
        for artifact in values["artifacts"]:
            artifact.update(kept.get(artifact["name"], {}), url=artifact_url(fields["id"], artifact["name"]))
        values |= {"url": job_url(fields["id"]), "events_url": events_url(fields["id"])}
        # These were JSON, so their values need no check. For a thousand channels it would take longer than all the rest.
        unchecked = {name: values[name] for name in ("params", "facts", "drawings")}
        record = cls.model_validate(values | {"owner": owner, "params": {}, "facts": None, "drawings": {}})
        return record.model_copy(update=unchecked)

    def file_of(self, sha256: str) -> str | None:
        """Return the name of the stored file that holds a content."""
        return stored_name(self.files or "", sha256)

    def with_arrays(self, arrays: Mapping[str, InlineArray]) -> Self:
        """Return the job with arrays inside its artifacts, by artifact name."""
        artifacts = tuple(each.model_copy(update={"data": arrays.get(each.name)}) for each in self.artifacts)
        return self.model_copy(update={"artifacts": artifacts})


_JSON_FIELDS = frozenset({"params", "progress"})


def stored_name(names: str, sha256: str) -> str | None:
    """Return the name of the file that holds a content, out of names that are separated by spaces. None if there is none."""
    return next((name for name in names.split() if name.startswith(sha256)), None)


@dataclass(frozen=True)
class Submitted:
    """An accepted job. `created` is False if an idempotency key was repeated and `job` is the job that it made before."""

    job: JobRecord
    created: bool


@dataclass(frozen=True)
class Execution:
    """Work that a worker has claimed. It is run once for all identical jobs.

    `key` is its id, and `params` are JSON. `attempt` counts from 1 and leaves out claims that were given back. `claim` counts every claim;
    each write of the worker names it and is refused after another worker has taken the execution over. `fresh` means that no piece of an
    earlier job may be reused. `model_digest` is that of its submission. `inputs` are the ids of the files of the model's further inputs, by
    the inputs' names. `further_models` are the digests of the models that it runs besides, by name. `files` are the names of the stored
    files of its images and inputs. `traceparent` is that of the submission that queued it. `spared` counts the deaths of workers that held
    it and did not work on it.
    """

    key: str
    shard: int
    attempt: int
    method: str
    model: str
    lane: Lane
    priority: Priority
    params: str
    image_id: str | None
    request_id: str
    queued_at: datetime
    files: tuple[str, ...] = ()
    claim: int = 0
    fresh: bool = False
    model_digest: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    traceparent: str = ""
    spared: int = 0
    further_models: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Result:
    """The result of an execution. `facts` is JSON. `progress` is the last state of the work; all its steps are done."""

    artifacts: tuple[EncodedArtifact | DeferredPicture, ...]
    facts: str
    warnings: tuple[str, ...]
    timings: Timings
    provenance: Provenance
    progress: Progress = field(default_factory=lambda: Progress(step=1, total=1))


@dataclass(frozen=True)
class StoredEvent:
    """One event of a job. `sequence` counts from 1 and is the id of the server-sent event. `data` is JSON."""

    sequence: int
    type: EventType
    data: str


@dataclass(frozen=True)
class LaneDepth:
    """Says how many executions of a lane are queued and running.

    `oldest` is the age in seconds of the execution that has been queued longest, or 0 if none is queued.
    """

    queued: int
    running: int
    oldest: float


@dataclass(frozen=True)
class QueueDepth:
    """Holds the depth of every lane."""

    lanes: Mapping[Lane, LaneDepth] = field(default_factory=dict[Lane, LaneDepth])


@dataclass(frozen=True)
class ImageRecord:
    """An uploaded image: its format (such as `PNG`), width and height in pixels, size in bytes, and when the upload expires."""

    id: str
    format: str
    width: int
    height: int
    size: int
    expires_at: datetime
