"""A submission and a job, typed for every method and told apart by `method`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, create_model
from typing_extensions import TypeAliasType

from schemas.artifacts import ArtifactDescription
from schemas.errors import InternalError, VisualizationError
from schemas.images import ImageReference
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.facts import Facts
from schemas.models import NO_MODEL, ModelName

Priority = Literal["high", "normal", "low"]
ErrorCode = Literal[
    "invalid_image",
    "model_load_failed",
    "unknown_layer",
    "no_gradient",
    "non_finite",
    "out_of_memory",
    "timeout",
    "worker_crashed",
    "internal",
]


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Progress(_Frozen):
    step: int
    total: int
    value: float | None = Field(default=None, description="The objective's mean value at this step, where there is one.")


class Timings(_Frozen):
    """Milliseconds spent; null for what has not happened."""

    queued: int | None = None
    decode: int | None = None
    device: int | None = Field(default=None, description="On the device, the share of a batch it was part of included whole.")
    render: int | None = None


class InlineArray(_Frozen):
    """An array as JSON: little-endian, C order."""

    dtype: str = Field(examples=["float32"])
    shape: tuple[int, ...]
    base64: str


class Artifact(ArtifactDescription):
    """An artifact of a job, as the job's JSON shows it."""

    url: str
    data: InlineArray | None = Field(default=None, description="The array itself, in the one-line form's JSON answer only.")


class Provenance(_Frozen):
    """What made the result, enough to make it again."""

    model_fingerprint: str = Field(description="Empty where the method needs no model.")
    seed: int | None = None
    precision: str
    device: str
    versions: dict[str, str] = Field(examples=[{"convscope": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1"}])


class JobError(_Frozen):
    code: ErrorCode
    detail: str
    retryable: bool

    def as_exception(self) -> VisualizationError:
        """Return an exception of the class that has this error's code, or an `InternalError` if there is no such class."""
        classes = {kind.code: kind for kind in VisualizationError.__subclasses__()}
        return classes.get(self.code, InternalError)(self.detail)


def job_url(job_id: str) -> str:
    """Return the path of a job's address, for example `/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD`."""
    return f"/v1/jobs/{job_id}"


def artifact_url(job_id: str, name: str) -> str:
    """Return the path of an artifact's address, for example `/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD/artifacts/overlay`."""
    return f"{job_url(job_id)}/artifacts/{quote(name, safe='')}"


class JobRequestBase(BaseModel):
    """What every submission has; each method's own class narrows `method` and `params`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    model: ModelName
    image: ImageReference | None = Field(default=None, description="Left out where the method needs none, or where a file part carries it.")
    params: MethodParams
    priority: Priority = Field(default="normal", description="Within a lane, higher ones are taken first.")


class JobBase(BaseModel):
    """A caller's submission and how it went; each method's own class narrows `method`, `params` and `facts`."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="ULID.")
    method: str
    model: ModelName
    state: JobState
    params: MethodParams
    priority: Priority
    progress: Progress | None
    queue_position: int | None = Field(description="0: next to be taken; null once it runs.")
    attempts: int
    cached: bool = Field(description="Answered from an identical job that had finished before.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime
    timings: Timings
    facts: Facts | None
    warnings: tuple[str, ...]
    artifacts: tuple[Artifact, ...]
    provenance: Provenance | None
    error: JobError | None


def _constant(name: str) -> Any:
    return Literal[name]  # pyright: ignore[reportInvalidTypeForm] - a type made from the registry


def _optional(facts: type[Facts]) -> Any:
    return facts | None


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _request_class(name: str, params: type[MethodParams]) -> type[JobRequestBase]:
    try:
        default: Any = params()
    except ValueError:
        default = ...
    card = params.card
    return create_model(
        f"{_title(name)}Request",
        __base__=JobRequestBase,
        __doc__=card.summary,
        method=(_constant(name), ...),
        model=(ModelName, ...) if card.needs_model else (_constant(NO_MODEL), NO_MODEL),
        params=(params, Field(default, description=f"Parameters of {card.title}.")),
    )


def example_request(method: str) -> dict[str, JsonValue]:
    """An example submission, as OpenAPI and `GET /v1/methods` show it."""
    card = METHODS[method].card
    image: dict[str, JsonValue] = {"image": {"id": "img_" + "0" * 64}} if card.needs_image else {}
    model: dict[str, JsonValue] = {"model": "efficientnet_lite0"} if card.needs_model else {}
    return {"method": method, **model, **image, "params": card.example}


def _job_class(name: str, params: type[MethodParams]) -> type[JobBase]:
    return create_model(
        f"{_title(name)}Job",
        __base__=JobBase,
        __doc__=f"A {params.card.title} job.",
        method=(_constant(name), ...),
        params=(params, ...),
        facts=(_optional(params.card.facts), ...),
    )


def _union(classes: Mapping[str, type[BaseModel]]) -> Any:
    return Union[tuple(classes.values())]  # noqa: UP007 - a union of what the registry holds


JOB_REQUEST_CLASSES = {name: _request_class(name, params) for name, params in METHODS.items()}
JOB_CLASSES = {name: _job_class(name, params) for name, params in METHODS.items()}

if TYPE_CHECKING:
    JobRequest = JobRequestBase
    Job = JobBase
else:
    # Named, so that a JSON schema refers to them instead of spelling them out.
    JobRequest = TypeAliasType("JobRequest", Annotated[_union(JOB_REQUEST_CLASSES), Field(discriminator="method")])
    Job = TypeAliasType("Job", Annotated[_union(JOB_CLASSES), Field(discriminator="method")])

job_request_adapter: TypeAdapter[JobRequestBase] = TypeAdapter(JobRequest)
job_adapter: TypeAdapter[JobBase] = TypeAdapter(Job)


class JobPage(BaseModel):
    """A page of the caller's jobs, newest first."""

    items: tuple[Job, ...]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last.")
