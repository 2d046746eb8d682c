"""What an operator may set of the service, beside what it shares with the workers. Built in the entry point, handed down."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from jobstore.settings import StoreSettings
from schemas.limits import MethodLimits
from telemetry.logs import LogFormat, LogLevel


class ServiceSettings(StoreSettings, MethodLimits):  # pyright: ignore[reportIncompatibleVariableOverride] - pydantic merges configurations
    """Read from `CONVSCOPE_*` variables."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins whose pages may call, with commas between; none by default. Credentials are never allowed."
    )

    max_body_bytes: int = Field(default=32 * 1024**2, gt=0, description="Bytes of one request body, counted as they come.")
    max_base64_bytes: int = Field(default=10 * 1024**2, gt=0, description="Bytes of an image given as base64, decoded.")

    default_wait: float = Field(default=30.0, ge=0, description="Seconds that the one-line form waits unless told otherwise.")
    max_wait: float = Field(default=60.0, ge=0, description="Seconds that any caller can wait in one request.")
    describe_wait: float = Field(default=15.0, gt=0, description="Seconds to wait for a worker to describe a model nobody asked for yet.")
    description_cache: float = Field(default=60.0, ge=0, description="Seconds that a model's description is kept in the service's memory.")

    drain: float = Field(default=30.0, ge=0, description="Seconds that requests in progress have to finish after SIGTERM.")
    drain_delay: float = Field(
        default=0.0, ge=0, description="Seconds between 'no longer ready' and refusing connections, for a load balancer to notice."
    )
    log_level: LogLevel = Field(default="info", description="`debug`, `info`, `warning` or `error`.")
    log_format: LogFormat = Field(default="auto", description="`json`, `console`, or `auto`: console on a terminal.")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def method_limits(self) -> MethodLimits:
        return MethodLimits(**{name: getattr(self, name) for name in MethodLimits.model_fields})
