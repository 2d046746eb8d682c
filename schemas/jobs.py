"""Define a job and its result as the service shows them. There is one model for each method, and the field `method` tells which one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from typing_extensions import TypeAliasType

from schemas.artifacts import ArtifactDescription
from schemas.errors import InternalError, ModelLoadInterrupted, VisualizationError
from schemas.method_types import class_title, literal, optional, union
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.facts import Facts
from schemas.models import Fit, ModelName

Priority = Literal["high", "normal", "low"]
ErrorCode = Literal[
    "invalid_image",
    "invalid_parameters",
    "model_load_failed",
    "model_too_large",
    "model_loading",
    "model_changed",
    "unknown_layer",
    "no_gradient",
    "non_finite",
    "out_of_memory",
    "storage_full",
    "timeout",
    "worker_crashed",
    "internal",
]

_FROZEN = ConfigDict(frozen=True)


class JobState(StrEnum):
    """The state of a job. `queued` and `running` jobs go on. The other states are final, but a succeeded job expires after a time."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Progress(BaseModel):
    """The progress of a job."""

    model_config = _FROZEN

    step: int = Field(description="The number of steps that are done.")
    total: int = Field(description="The number of steps in all.")
    value: float | None = Field(
        default=None, description="The mean value of the objective at this step. It is null if the method has no objective."
    )


class Timings(BaseModel):
    """The milliseconds that each stage took. A stage that has not happened is null."""

    model_config = _FROZEN

    queued: int | None = Field(default=None, description="Milliseconds from the submission to the start.")
    decode: int | None = Field(default=None, description="Milliseconds to decode and prepare the images.")
    device: int | None = Field(
        default=None,
        description="Milliseconds on the device. A job that ran in a batch counts the time of the whole batch. "
        "A job with `frames` counts the share that its frames had in their batches. It is null if the device was not needed, as for a job "
        "that is drawn from what a recent job has computed.",
    )
    render: int | None = Field(default=None, description="Milliseconds to draw and encode the artifacts.")


class InlineArray(BaseModel):
    """An array in JSON, little-endian and in C order."""

    model_config = _FROZEN

    dtype: str = Field(description="NumPy's name of the number type.", examples=["float32"])
    shape: tuple[int, ...] = Field(description="The lengths of the axes.")
    base64: str = Field(description="The numbers' bytes in base64.")


class Artifact(ArtifactDescription):
    """An artifact of a job, as the job's JSON shows it."""

    url: str = Field(
        description="The path at which the artifact can be downloaded. If a key is needed, it holds a signature that lets a GET in without "
        "one, for an hour at most."
    )
    data: InlineArray | None = Field(
        default=None, description="The array itself. Only the JSON answer of a one-line request has it; otherwise it is null."
    )


class Provenance(BaseModel):
    """The model, software, device and seed that made a result. They are enough to make it again."""

    model_config = _FROZEN

    model_fingerprint: str = Field(description="The fingerprint of the model. It is empty if the method needs no model.")
    further_models: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="The fingerprints of the models that the job ran besides, by their names. It is empty for a job of one model.",
    )
    seed: int | None = Field(default=None, description="The seed of random numbers. It is null if the method uses none.")
    precision: str = Field(description="The number type of the computation.")
    device: str = Field(description="The device that computed the result.")
    versions: dict[str, str] = Field(
        description="The versions of the software, by package.",
        examples=[{"convscope": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1"}],
    )
    custom_objects: tuple[str, ...] = Field(
        default=(),
        description="The Python objects of the operator's own that the models are made of. Their code is not part of `versions`.",
    )
    inputs: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="If the job gave more than a photo, this is what each input of the model was given, by the input's name: `img_`, "
        "followed by the sha256 of the image file, or of the values as an .npy file. Inputs that are not here were given zeros.",
    )
    fit: Fit | None = Field(
        default=None,
        description="How the photo was brought to the size of the model's input, by the parameter `fit` or by the model's own "
        "preprocessing. It is null if the method shows no photo to the model.",
    )


class JobError(BaseModel):
    """Why a job failed."""

    model_config = _FROZEN

    code: ErrorCode = Field(description="A stable code that programs can read.")
    detail: str = Field(description="A sentence that says what went wrong.")
    retryable: bool = Field(description="If it is true, the same job may succeed later.")

    def as_exception(self) -> VisualizationError:
        """Return an exception of the class that has this error's code, or an `InternalError` if there is no such class."""
        if self.code == ModelLoadInterrupted.code and self.retryable:
            return ModelLoadInterrupted(self.detail)
        classes = {kind.code: kind for kind in VisualizationError.__subclasses__()}
        return classes.get(self.code, InternalError)(self.detail)


class JobBase(BaseModel):
    """A submitted job and how it went. The class of each method narrows `method`, `params` and `facts`."""

    model_config = _FROZEN

    id: str = Field(description="The job's id, a ULID.")
    url: str = Field(
        description="The path of the job. If a key is needed, it holds a signature that lets a GET in without one, for an hour at most."
    )
    events_url: str = Field(description="The path of the job's event stream, signed in the same way.")
    method: str
    model: ModelName
    state: JobState
    params: MethodParams
    priority: Priority
    progress: Progress | None = Field(description="The progress of the job. It is null until the job reports some.")
    queue_position: int | None = Field(
        description="The number of executions that are taken before this job's. It is null once the job runs."
    )
    attempts: int = Field(description="The number of times that a worker has started the job.")
    cached: bool = Field(description="If it is true, an identical job had finished before, and this job has its result.")
    created_at: datetime = Field(description="The time when the job was submitted.")
    started_at: datetime | None = Field(description="The time when the job was first started. It is null before.")
    finished_at: datetime | None = Field(description="The time when the job ended. It is null before.")
    expires_at: datetime = Field(description="The time from which the result is no longer available.")
    timings: Timings
    facts: Facts | None = Field(description="The facts that the method found. They are null until the job has succeeded.")
    warnings: tuple[str, ...] = Field(description="Sentences that a reader of the result should know.")
    artifacts: tuple[Artifact, ...] = Field(description="The artifacts. There are none until the job has succeeded.")
    provenance: Provenance | None = Field(description="The model, software and seed of the result, or null until the job has succeeded.")
    error: JobError | None = Field(description="Why the job failed. It is null unless the state is `failed`.")


def _job_class(name: str, params: type[MethodParams]) -> type[JobBase]:
    return create_model(
        f"{class_title(name)}Job",
        __base__=JobBase,
        __doc__=f"A {params.card.title} job.",
        method=(literal(name), ...),
        params=(params, ...),
        facts=(optional(params.card.facts), Field(description=JobBase.model_fields["facts"].description)),
    )


JOB_CLASSES = {name: _job_class(name, params) for name, params in METHODS.items()}

if TYPE_CHECKING:
    Job = JobBase
else:
    # The alias has a name, so that a JSON schema refers to it instead of repeating it.
    Job = TypeAliasType("Job", Annotated[union(JOB_CLASSES), Field(discriminator="method")])

job_adapter: TypeAdapter[JobBase] = TypeAdapter(Job)


class JobPage(BaseModel):
    """A page of the caller's jobs, newest first."""

    items: tuple[Job, ...] = Field(description="The jobs of this page.")
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page. It is null on the last page.")


def job_url(job_id: str) -> str:
    """Return the path of a job, for example `/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD`."""
    return f"/v1/jobs/{job_id}"


def events_url(job_id: str) -> str:
    """Return the path of a job's event stream, for example `/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD/events`."""
    return f"{job_url(job_id)}/events"


def artifact_url(job_id: str, name: str) -> str:
    """Return the path of an artifact, for example `/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD/artifacts/overlay`."""
    return f"{job_url(job_id)}/artifacts/{quote(name, safe='')}"
