"""Define the events of a batch's stream: the JSON that the data of each kind carries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from schemas.batches import BatchCounts, BatchEnd, BatchState

_FROZEN = ConfigDict(frozen=True)


class CountsEvent(BatchCounts):
    """The number of items in each state has changed. It is sent at most twice a second."""

    event: Literal["counts"] = Field(default="counts", description="The kind of the event.")


class ItemEvent(BatchEnd):
    """The end of one item. The id of this event in the stream is the row's `cursor`."""

    event: Literal["item"] = Field(default="item", description="The kind of the event.")


class BatchDoneEvent(BaseModel):
    """The end of a batch. It is the last event of the stream."""

    model_config = _FROZEN

    event: Literal["done"] = Field(default="done", description="The kind of the event.")
    state: BatchState = Field(description="The state in which the batch ended.")


BatchEvent = TypeAliasType("BatchEvent", Annotated[CountsEvent | ItemEvent | BatchDoneEvent, Field(discriminator="event")])
