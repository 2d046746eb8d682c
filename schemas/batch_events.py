"""Define the events of a batch's stream: the JSON that each kind carries, and whole events as OpenAPI shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from schemas.batches import BatchCounts, BatchEnd, BatchState

_FROZEN = ConfigDict(frozen=True)


class CountsChange(BatchCounts):
    """The number of items in each state has changed."""

    event: Literal["counts"] = Field(default="counts", description="The kind of the event.")


class ItemEndChange(BatchEnd):
    """The end of one item."""

    event: Literal["item"] = Field(default="item", description="The kind of the event.")


class BatchDone(BaseModel):
    """The end of a batch."""

    model_config = _FROZEN

    event: Literal["done"] = Field(default="done", description="The kind of the event.")
    state: BatchState = Field(description="The state in which the batch ended.")


class CountsEvent(BaseModel):
    """This event tells how far the batch is. It is sent at most twice a second."""

    model_config = _FROZEN

    event: Literal["counts"] = Field(description="The kind of the event.")
    id: str = Field(description="The number of items whose ends were told before. Send it as `Last-Event-ID` to go on after this event.")
    data: CountsChange


class ItemEvent(BaseModel):
    """This event tells that an item has ended."""

    model_config = _FROZEN

    event: Literal["item"] = Field(description="The kind of the event.")
    id: str = Field(description="The number of items whose ends have been told, this one included. It is the row's `cursor`.")
    data: ItemEndChange


class BatchDoneEvent(BaseModel):
    """This event tells that the batch has ended. It is the last event of the stream."""

    model_config = _FROZEN

    event: Literal["done"] = Field(description="The kind of the event.")
    id: str = Field(description="The number of all items, plus 1.")
    data: BatchDone


BatchEvent = TypeAliasType("BatchEvent", Annotated[CountsEvent | ItemEvent | BatchDoneEvent, Field(discriminator="event")])
