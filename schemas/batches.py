"""Define a batch, its items and their results, as requests and answers of `/v1/batches` show them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.images import ImageReference
from schemas.jobs import Artifact, JobState, Priority
from schemas.models import Fit, ModelName
from schemas.problem import Problem
from schemas.webhooks import WebhookRequest

_FROZEN = ConfigDict(frozen=True)

BatchState = Literal["running", "succeeded", "partial", "failed", "canceled", "expired"]
CustomId = Annotated[str, Field(min_length=1, max_length=128)]


class BatchDefaults(BaseModel):
    """The fields that every item of a batch has, unless it has its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="BatchDefaults")

    method: str | None = Field(default=None, description="The method, as `GET /v1/methods` lists it.", examples=["grad_cam"])
    model: ModelName | None = Field(default=None, description="The model, as `GET /v1/models` lists it.")
    image: ImageReference | None = Field(default=None, description="The image, as in a job. An image in base64 is stored once.")
    inputs: dict[str, JsonValue] | None = Field(default=None, description="The values of the model's inputs by name, as in a job.")
    fit: Fit | None = Field(default=None, description="How a photo is brought to the size of the model's input, as in a job.")
    params: dict[str, JsonValue] | None = Field(
        default=None,
        description="The parameters of the method. An item's own parameters are laid over them one by one, unless it names another method.",
    )
    priority: Priority | None = Field(
        default=None, description="The priority of the jobs. It is `low` if neither the item nor the defaults say otherwise."
    )


class BatchItem(BatchDefaults):
    """An item of a batch: a submission that is laid over the batch's defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="BatchItem")

    custom_id: CustomId | None = Field(
        default=None, description="A name of the caller's own for the item. Each name may be used once in a batch.", examples=["cat.jpg"]
    )


class BatchRequest(BaseModel):
    """A batch as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    defaults: BatchDefaults | None = Field(default=None, description="The fields that the items share.")
    webhook: WebhookRequest | None = Field(
        default=None,
        description="Where the end of the batch is told, if the operator has turned webhooks on. Items have none of their own.",
    )
    items: tuple[BatchItem, ...] = Field(min_length=1, description="The items. A wrong item fails alone, and the others run.")


class BatchCounts(BaseModel):
    """The number of a batch's items in each state."""

    model_config = _FROZEN

    total: int = Field(description="The number of all items.")
    queued: int = Field(description="The number of items that wait, in the queue or for room in it.")
    running: int = Field(description="The number of items that a worker has started.")
    succeeded: int = Field(description="The number of items that have succeeded.")
    failed: int = Field(description="The number of items that have failed, wrong items and items that expired in the queue included.")
    canceled: int = Field(description="The number of items that were canceled.")


class Batch(BaseModel):
    """A batch and how far it is."""

    model_config = _FROZEN

    id: str = Field(description="The batch's id, a ULID.")
    state: BatchState = Field(
        description="`running` until every item has ended. Then it is `succeeded` or `failed` if all items have, `canceled` if the batch "
        "was canceled, `expired` if its time was over or its results no longer exist, and `partial` otherwise."
    )
    counts: BatchCounts
    canceling: bool = Field(description="If it is true, the batch was canceled and its last items are about to end.")
    created_at: datetime = Field(description="The time when the batch was accepted.")
    finished_at: datetime | None = Field(description="The time when the last item ended. It is null before.")
    expires_at: datetime = Field(
        description="While the batch runs, this is the time at which it is given up. Afterwards, it is the time from which the results are "
        "no longer available. The result of an item may expire earlier, as the job's own `expires_at` says."
    )


class BatchPage(BaseModel):
    """A page of the caller's batches, newest first."""

    model_config = _FROZEN

    items: tuple[Batch, ...] = Field(description="The batches of this page.")
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page. It is null on the last page.")


class BatchEnd(BaseModel):
    """The end of one item, as the store keeps it: all that its job does not know."""

    model_config = _FROZEN

    index: int = Field(description="The place of the item in the batch, from 0.")
    custom_id: str | None = Field(description="The name that the caller gave the item.")
    job_id: str | None = Field(description="The id of the item's job. It is null if the item never became a job.")
    state: JobState = Field(description="The state in which the item ended.")


class BatchRow(BatchEnd):
    """A line of the results: an item that has ended."""

    cursor: str = Field(description="Send it as `cursor` to go on after this line.")
    facts: dict[str, JsonValue] | None = Field(description="The facts that the method found. They are null unless the item succeeded.")
    warnings: tuple[str, ...] = Field(description="Sentences that a reader of the result should know.")
    artifacts: tuple[Artifact, ...] = Field(description="The artifacts. There are none unless the item succeeded.")
    error: Problem | None = Field(description="Why the item failed. It is null unless its state is `failed`.")


def batch_url(batch_id: str) -> str:
    """Return the path of a batch, for example `/v1/batches/01K5YQZ7T8Y1W4V9N3M2XQJ6RD`."""
    return f"/v1/batches/{batch_id}"
