"""Define the events of a job's stream: the JSON that each kind carries, and whole events as OpenAPI shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from schemas.jobs import JobState, Progress

_FROZEN = ConfigDict(frozen=True)


class Status(BaseModel):
    """The state of a job. It is sent when the job is submitted, started or given back to the queue."""

    model_config = _FROZEN

    event: Literal["status"] = Field(default="status", description="The kind of the event.")
    state: JobState = Field(description="The state of the job now.")
    queue_position: int | None = Field(description="The number of executions that are taken before this one. It is null once the job runs.")


class ProgressChange(Progress):
    """The progress of a job has changed."""

    event: Literal["progress"] = Field(default="progress", description="The kind of the event.")


class Preview(BaseModel):
    """A small image that shows how far a synthesis is."""

    model_config = _FROZEN

    event: Literal["preview"] = Field(default="preview", description="The kind of the event.")
    step: int = Field(description="The step after which the image was made.")
    image: str = Field(description="The image as a PNG in a `data:` URL.", examples=["data:image/png;base64,iVBORw0KGgo…"])


class Done(BaseModel):
    """The end of a job."""

    model_config = _FROZEN

    event: Literal["done"] = Field(default="done", description="The kind of the event.")
    state: JobState = Field(description="The state in which the job ended. `GET /v1/jobs/{id}` returns the rest.")


class StatusEvent(BaseModel):
    """This event tells that a job was submitted, started or given back to the queue."""

    model_config = _FROZEN

    event: Literal["status"] = Field(description="The kind of the event.")
    id: str = Field(description="The sequence number, from 1. Send it as `Last-Event-ID` to go on after this event.")
    data: Status


class ProgressEvent(BaseModel):
    """This event tells that a job has made progress."""

    model_config = _FROZEN

    event: Literal["progress"] = Field(description="The kind of the event.")
    id: str = Field(description="The sequence number.")
    data: ProgressChange


class PreviewEvent(BaseModel):
    """This event brings a new preview. A preview that a newer one has replaced is left out."""

    model_config = _FROZEN

    event: Literal["preview"] = Field(description="The kind of the event.")
    id: str = Field(description="The sequence number.")
    data: Preview


class DoneEvent(BaseModel):
    """This event tells that a job has ended. It is the last event of the stream."""

    model_config = _FROZEN

    event: Literal["done"] = Field(description="The kind of the event.")
    id: str = Field(description="The sequence number.")
    data: Done


JobEvent = TypeAliasType("JobEvent", Annotated[StatusEvent | ProgressEvent | PreviewEvent | DoneEvent, Field(discriminator="event")])
