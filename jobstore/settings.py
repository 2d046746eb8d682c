"""Define the settings that service and workers share. Entry points read them from `CONVSCOPE_*` variables and hand them down."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from jobstore.redis_address import read_address
from schemas.images import ImageLimits


class StoreSettings(BaseSettings):
    """Says where jobs, models and files are, how long they live, and how much of them there may be.

    For example: `StoreSettings(redis_url="redis://localhost:6379/0", shards=3)`.
    """

    model_config = SettingsConfigDict(env_prefix="CONVSCOPE_", frozen=True, extra="ignore")

    redis_url: str | None = Field(
        default=None,
        description="The address of a Redis (7.0 or newer) or Valkey: `redis://host:6379/0`, or with TLS `rediss://host:6379/0`; "
        "`redis+sentinel://host1:26379,host2:26379/name/0` for a server that Sentinels watch; `redis+cluster://host1:7000,host2:7001` for "
        "a Redis Cluster. See [scaling](scaling.md). If it is not set, `convscope serve` starts a Redis of its own.",
    )
    redis_appendfsync: Literal["always", "everysec"] = Field(
        default="everysec",
        description="The moment at which the Redis that convscope starts writes to disk. With `always`, no accepted job is lost if the "
        "machine stops. With `everysec`, the jobs of the last second may be lost.",
    )
    redis_connections: int = Field(
        default=50,
        ge=1,
        description="Each process sends at most this many commands to Redis at a time, each on its own connection. "
        "A command waits up to 5 s for its turn. Waiting callers take no connection.",
    )
    redis_max_memory: int = Field(
        default=2 * 1024**3,
        ge=0,
        description="The Redis that convscope starts refuses new jobs beyond this many bytes of memory. 0 means no limit.",
    )
    slow_callback: float | None = Field(
        default=None,
        gt=0,
        description="For debugging: whatever keeps an event loop from its other work for longer than this many seconds is logged with the "
        "lines that it ran. If it is not set, nothing is watched.",
    )
    traces_endpoint: str | None = Field(
        default=None,
        description="The base address of an OpenTelemetry collector that takes OTLP over HTTP, for example `http://localhost:4318`. Traces "
        "of jobs are sent to it, which needs the extra `convscope[traces]`. If it is not set, nothing is traced. See "
        "[tracing](tracing.md).",
    )
    data_dir: Path = Field(default=Path("data"), description="The folder for the data of the embedded Redis, stored files and logs.")
    models_dir: Path = Field(default=Path("models"), description="The folder with model files (.keras, .h5 and .hdf5).")
    models_file: Path = Field(
        default=Path("models.toml"), description="The TOML file that adds models and changes the settings of built-in models."
    )
    max_model_file_bytes: int = Field(
        default=2**30, gt=0, description="A file of the models folder, or an uploaded model, may have at most this many bytes."
    )

    shards: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="Jobs are spread over this many shards, each with its own Redis hash tag, so that a Redis Cluster can share the work.",
    )
    result_ttl: int = Field(default=24 * 3600, gt=0, description="Results, uploads and idempotency keys live for this many seconds.")
    description_ttl: int = Field(
        default=30 * 24 * 3600,
        gt=0,
        description="A model's description lives for this many seconds after it was made or last used, so that jobs are accepted while no "
        "worker is alive.",
    )
    one_line_ttl: int = Field(
        default=3600,
        gt=0,
        description="The results of one-line requests whose callers wait for the answer live for this many seconds, but not longer than "
        "`result_ttl`.",
    )
    lease: float = Field(
        default=15.0, gt=0, description="Another worker takes over a job if its worker has not renewed it for this many seconds."
    )
    heartbeat: float = Field(default=5.0, gt=0, description="A worker renews its jobs and reports that it is alive every so many seconds.")
    max_attempts: int = Field(default=3, ge=1, description="A job fails if its worker died while working on it in this many attempts.")
    max_queued: int = Field(default=1000, gt=0, description="At most this many jobs may be queued in all.")
    max_queued_per_caller: int = Field(
        default=100,
        gt=0,
        description="At most this many jobs of one caller may be queued or running. It "
        "applies where callers can be told apart, by API keys or with `CONVSCOPE_LIMIT_BY_ADDRESS`.",
    )

    max_batch_items: int = Field(default=10_000, gt=0, description="A batch may have at most this many items.")
    max_batches_per_caller: int = Field(default=20, gt=0, description="At most this many batches of one caller may be unfinished.")
    batch_in_flight: int = Field(
        default=100,
        gt=0,
        description="At most this many items of a batch are queued or running at a time. The others wait outside the queue. Items of "
        "batches never fill more than half of `max_queued`.",
    )
    batch_ttl: int = Field(
        default=3 * 24 * 3600, gt=0, description="A batch that has not ended after this many seconds is given up, and ends as `expired`."
    )

    set_ttl: int = Field(
        default=7 * 24 * 3600, gt=0, description="A set of uploads lives for this many seconds after it was made or last used."
    )
    max_sets_per_caller: int = Field(default=100, gt=0, description="One caller may have at most this many sets of uploads.")

    files_url: str | None = Field(
        default=None,
        description="The fsspec address where images and artifacts are stored, for example `s3://bucket/convscope`. If it is not set, they "
        "are stored in `files/` in the data folder. The service and all workers must reach the same place.",
    )
    max_stored_bytes: int = Field(
        default=20 * 1024**3,
        gt=0,
        description="Stored files may take at most this many bytes in all. The oldest results give way when there is no room.",
    )
    min_free_disk: int = Field(
        default=1024**3,
        ge=0,
        description="At least this many bytes of the disk stay free. The oldest results give way when fewer are free, and new jobs and "
        "uploads are refused if that is not enough. Only the results of jobs that were accepted before may use this reserve, except for "
        "the last sixteenth of it. Set it to 0 only if Redis writes to another disk.",
    )
    max_records_per_owner: int = Field(
        default=20_000,
        gt=0,
        description="At most this many jobs of one caller are remembered. The oldest that have ended are forgotten first.",
    )

    max_image_bytes: int = Field(default=20 * 1024**2, gt=0, description="An image file may have at most this many bytes.")
    max_image_pixels: int = Field(default=25_000_000, gt=0, description="An image may have at most this many pixels (width × height).")
    max_image_side: int = Field(default=16_384, gt=0, description="Neither side of an image may be longer than this many pixels.")
    image_formats: Annotated[tuple[Literal["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "HEIF", "TIFF"], ...], NoDecode] = Field(
        default=("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "HEIF"),
        description="Image formats that are accepted, separated by commas. They are recognised by content. HEIF stands for HEIC files, "
        "which need the extra `convscope[heif]` where the service and the workers run. TIFF may be added.",
    )

    decode_seconds: float = Field(
        default=5.0,
        gt=0,
        description="Decoding an image file may take this many seconds. After that, its process is ended and it is refused.",
    )
    decode_memory_bytes: int = Field(
        default=1024**3, ge=256 * 1024**2, description="A process that decodes image files may use this many bytes of address space."
    )

    @field_validator("redis_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value:
            read_address(value)
        return value

    @field_validator("traces_endpoint")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must be an address that begins with http:// or https://")
        if not _can_trace():
            raise ValueError("needs packages that are not installed here; install convscope[traces], or remove the setting")
        return value

    @field_validator("image_formats", mode="before")
    @classmethod
    def _formats(cls, value: object) -> object:
        return tuple(name.strip().upper() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @property
    def image_limits(self) -> ImageLimits:
        """Return the limits of images. The service checks them when it receives an image, and the worker before it decodes one."""
        return ImageLimits(
            max_bytes=self.max_image_bytes, max_pixels=self.max_image_pixels, max_side=self.max_image_side, formats=self.image_formats
        )


def _can_trace() -> bool:
    """Tell whether the packages that `telemetry.otel_traces` imports are installed."""
    try:
        return all(find_spec(name) is not None for name in ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"))
    except ModuleNotFoundError:  # a package that would hold one of them is missing, too
        return False


def setting_problems(error: ValidationError) -> list[str]:
    """Return one line for each wrong setting. A line begins with the name of the environment variable, and never shows a password."""
    lines: list[str] = []
    for problem in error.errors():
        name = "__".join(str(part) for part in problem["loc"]).upper()
        got = "" if name in ("REDIS_URL", "TRACES_ENDPOINT") else f" (got {problem['input']!r})"
        lines.append(f"CONVSCOPE_{name}: {problem['msg']}{got}")
    return lines
