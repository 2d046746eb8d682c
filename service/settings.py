"""What an operator may set of the service, beside what it shares with the workers. Built in the entry point, handed down."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from jobstore.settings import StoreSettings
from schemas.limits import MethodLimits
from telemetry.logs import LogFormat, LogLevel

_METHODS = MethodLimits()


class Settings(StoreSettings):
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

    max_filters: int = Field(default=_METHODS.max_filters, gt=0, description="Images one synthesis job makes.")
    max_synthesis_size: int = Field(default=_METHODS.max_synthesis_size, gt=0, description="Side of a synthesised image, pixels.")
    max_steps: int = Field(default=_METHODS.max_steps, gt=0, description="Gradient-ascent steps of a job.")
    max_synthesis_work: int = Field(default=_METHODS.max_synthesis_work, gt=0, description="size² × steps × filters of one job.")
    max_layers: int = Field(default=_METHODS.max_layers, gt=0, description="Layers whose activations one job returns.")
    max_classes: int = Field(default=_METHODS.max_classes, gt=0, description="Classes one attribution job explains.")
    max_images: int = Field(default=_METHODS.max_images, gt=0, description="Uploaded images that one job reads.")
    max_images_pixels: int = Field(default=_METHODS.max_images_pixels, gt=0, description="Pixels of these images together.")

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
        return MethodLimits(
            max_filters=self.max_filters,
            max_synthesis_size=self.max_synthesis_size,
            max_steps=self.max_steps,
            max_synthesis_work=self.max_synthesis_work,
            max_layers=self.max_layers,
            max_classes=self.max_classes,
            max_images=self.max_images,
            max_images_pixels=self.max_images_pixels,
        )
