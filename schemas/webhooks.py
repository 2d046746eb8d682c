"""Define webhooks: where and when the end of a job or a batch is told, the secret that signs this, and the state of an endpoint."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

WebhookEvent = Literal["succeeded", "partial", "failed", "canceled", "expired"]


class WebhookRequest(BaseModel):
    """Names the address that is told when a job or a batch ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        min_length=1, max_length=2048, description="The `https` address of the endpoint.", examples=["https://example.com/hook"]
    )
    events: tuple[WebhookEvent, ...] = Field(
        default=("succeeded", "partial", "failed", "canceled", "expired"),
        min_length=1,
        max_length=5,
        description="The states whose coming is told. Only a batch can be `partial`.",
    )


class WebhookSubject(BaseModel):
    """The job or the batch that a webhook is about."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The id of the job or of the batch.")
    state: WebhookEvent = Field(description="The state in which it has ended.")


class WebhookPayload(BaseModel):
    """The body of a webhook."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="`job.` or `batch.`, followed by the state.", examples=["job.succeeded"])
    timestamp: datetime = Field(description="The time of the end.")
    data: WebhookSubject


class WebhookSecret(BaseModel):
    """The secret that signs the caller's webhooks (Standard Webhooks)."""

    model_config = ConfigDict(frozen=True)

    secret: str = Field(description="`whsec_`, followed by the secret in base64.")
    previous_until: datetime | None = Field(
        description="Until this time, webhooks are signed with the previous secret too. It is null if there is none."
    )


class WebhookEndpoint(BaseModel):
    """An endpoint of the caller's webhooks and how the last attempts went."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(description="The address of the endpoint.")
    failures: int = Field(description="The number of attempts that have failed since the last one that succeeded.")
    error: str | None = Field(description="Why the last attempt failed. It is null if it succeeded.")
    tried_at: datetime = Field(description="The time of the last attempt.")
    disabled_until: datetime | None = Field(
        description="The endpoint has failed too often, and nothing is sent to it until this time. It is null for all others."
    )


class WebhookEndpointList(BaseModel):
    """The endpoints of the caller's webhooks."""

    model_config = ConfigDict(frozen=True)

    items: tuple[WebhookEndpoint, ...] = Field(description="The endpoints. The one that was tried last comes first.")
