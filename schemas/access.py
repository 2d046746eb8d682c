"""Define API keys as callers and operators see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

Scope = Literal["read", "submit", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
OwnerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]

ANONYMOUS = "anonymous"  # the owner of what callers without a key submit


class ApiKeyRequest(BaseModel):
    """The order for a new API key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: OwnerName = Field(
        description="Jobs and images that are made with the key belong to this owner. Several keys may have one owner.", examples=["ada"]
    )
    scopes: tuple[Scope, ...] = Field(
        min_length=1,
        max_length=len(SCOPES),
        description="`read`: look at jobs, images, methods and models. `submit`: submit, cancel and delete jobs and images. `admin`: "
        "everything, also make and revoke keys.",
        examples=[["read", "submit"]],
    )
    expires_at: AwareDatetime | None = Field(
        default=None,
        description="From this time on the key is refused. Without it, the key is valid until it is revoked.",
        examples=["2027-01-31T00:00:00Z"],
    )

    @field_validator("scopes")
    @classmethod
    def _each_once(cls, value: tuple[Scope, ...]) -> tuple[Scope, ...]:
        return tuple(scope for scope in SCOPES if scope in value)

    @field_validator("expires_at")
    @classmethod
    def _in_the_future(cls, value: datetime | None) -> datetime | None:
        if value is not None and value <= datetime.now(UTC):
            raise ValueError(f"expires_at must be in the future; got {value.isoformat()}.")
        return value


class ApiKey(BaseModel):
    """An API key without its secret part."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The id of the key. It stands in the key itself and is no secret.", examples=["k7f3m2q9x4tb"])
    owner: str = Field(description="Jobs and images that are made with the key belong to this owner.", examples=["ada"])
    scopes: tuple[Scope, ...] = Field(description="The key allows this. `admin` allows everything.", examples=[["read", "submit"]])
    created_at: AwareDatetime = Field(description="The time when the key was made.")
    expires_at: AwareDatetime | None = Field(description="From this time on the key is refused. It is null if the key does not expire.")
    last_used_at: AwareDatetime | None = Field(
        description="The time of the last use, within about ten minutes. It is null if the key has not been used."
    )

    def allows(self, scope: Scope) -> bool:
        """Tell whether the key's holder may do what needs `scope`."""
        return scope in self.scopes or "admin" in self.scopes


class NewApiKey(ApiKey):
    """A key that has just been made."""

    key: str = Field(
        description="The key. Send it as `Authorization: Bearer …` or as `X-API-Key`. It is shown this once and cannot be read again.",
        examples=["cs_k7f3m2q9x4tb_9Yt0…"],
    )


class ApiKeyList(BaseModel):
    """All API keys, the newest first."""

    items: tuple[ApiKey, ...] = Field(description="The keys.")
