"""Define the events of a job's stream: the JSON that the data of each kind carries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from schemas.jobs import JobState, Progress

_FROZEN = ConfigDict(frozen=True)
_JOB = "The id of the job."


class StatusEvent(BaseModel):
    """The state of a job. It is sent when the job is submitted, started or given back to the queue."""

    model_config = _FROZEN

    event: Literal["status"] = Field(default="status", description="The kind of the event.")
    job_id: str = Field(description=_JOB)
    state: JobState = Field(description="The state of the job now.")
    queue_position: int | None = Field(description="The number of executions that are taken before this one. It is null once the job runs.")


class ProgressEvent(Progress):
    """The progress of a job has changed."""

    event: Literal["progress"] = Field(default="progress", description="The kind of the event.")
    job_id: str = Field(description=_JOB)


class PreviewEvent(BaseModel):
    """A small image that shows how far a synthesis is. A preview that a newer one has replaced is left out."""

    model_config = _FROZEN

    event: Literal["preview"] = Field(default="preview", description="The kind of the event.")
    job_id: str = Field(description=_JOB)
    step: int = Field(description="The step after which the image was made.")
    image: str = Field(description="The image as a PNG in a `data:` URL.", examples=["data:image/png;base64,iVBORw0KGgo…"])


class DoneEvent(BaseModel):
    """The end of a job. It is the last event of the job."""

    model_config = _FROZEN

    event: Literal["done"] = Field(default="done", description="The kind of the event.")
    job_id: str = Field(description=_JOB)
    state: JobState = Field(description="The state in which the job ended. `GET /v1/jobs/{id}` returns the rest.")


JobEvent = TypeAliasType("JobEvent", Annotated[StatusEvent | ProgressEvent | PreviewEvent | DoneEvent, Field(discriminator="event")])
