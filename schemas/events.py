"""What a job's event stream carries: each event's `data`, and the whole of an event as OpenAPI shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from schemas.jobs import JobState, Progress


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Status(_Frozen):
    state: JobState
    queue_position: int | None = Field(description="0: next to be taken; null once it runs.")


class Preview(_Frozen):
    """A small picture of how far a synthesis is."""

    step: int
    image: str = Field(description="PNG as a `data:` URL.", examples=["data:image/png;base64,iVBORw0KGgo…"])


class Done(_Frozen):
    state: JobState = Field(description="How it ended; `GET /v1/jobs/{id}` has the rest.")


class StatusEvent(_Frozen):
    event: Literal["status"]
    id: str = Field(description="Sequence number, from 1; given back as `Last-Event-ID`.")
    data: Status


class ProgressEvent(_Frozen):
    event: Literal["progress"]
    id: str
    data: Progress


class PreviewEvent(_Frozen):
    event: Literal["preview"]
    id: str
    data: Preview


class DoneEvent(_Frozen):
    event: Literal["done"]
    id: str
    data: Done


JobEvent = TypeAliasType("JobEvent", Annotated[StatusEvent | ProgressEvent | PreviewEvent | DoneEvent, Field(discriminator="event")])
