"""Settings that service and workers share. Read from `CONVSCOPE_*` variables; built in the entry points and handed down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.images import ImageLimits


class StoreSettings(BaseSettings):
    """Where jobs and models are, and how long things live."""

    model_config = SettingsConfigDict(env_prefix="CONVSCOPE_", frozen=True, extra="ignore")

    redis_url: str | None = Field(default=None, description="Redis >= 7.0 or Valkey. Unset: `convscope serve` starts a server of its own.")
    redis_appendfsync: Literal["always", "everysec"] = Field(
        default="everysec",
        description="When a Redis of our own writes to disk: `always` loses nothing that was accepted, even when the machine stops; "
        "`everysec` up to a second.",
    )
    redis_max_memory: int = Field(
        default=2 * 1024**3, ge=0, description="Bytes beyond which a Redis of our own takes nothing more; 0 for no limit."
    )
    data_dir: Path = Field(default=Path("data"), description="Embedded Redis, large blobs, logs.")
    models_dir: Path = Field(default=Path("models"), description="Folder with .keras and .h5 files.")
    models_file: Path = Field(default=Path("models.toml"), description="Further models and changes to the built-in ones.")

    shards: int = Field(default=1, ge=1, le=1024, description="Hash tags that spread jobs over a Redis Cluster.")
    result_ttl: int = Field(default=24 * 3600, gt=0, description="Seconds that results, uploads and idempotency keys live.")
    lease: float = Field(default=15.0, gt=0, description="Seconds without renewal after which another worker takes a job over.")
    heartbeat: float = Field(default=5.0, gt=0, description="Seconds between renewals.")
    max_attempts: int = Field(default=3, ge=1, description="Attempts after which a job that kills its workers fails.")
    max_queued: int = Field(default=1000, gt=0, description="Queued jobs in all.")
    max_queued_per_caller: int = Field(default=100, gt=0, description="Queued and running jobs of one caller.")

    blobs_url: str | None = Field(
        default=None, description="fsspec address for large blobs (file://, s3://). Unset: blobs/ in the data folder."
    )
    blob_threshold: int = Field(default=256 * 1024, ge=0, description="Bytes above which a blob leaves Redis.")
    max_stored_bytes: int = Field(default=20 * 1024**3, gt=0, description="Bytes of stored blobs in all.")
    min_free_disk: int = Field(default=1024**3, ge=0, description="Bytes of free disk kept.")

    max_image_bytes: int = Field(default=20 * 1024**2, gt=0, description="Bytes of one image file.")
    max_image_pixels: int = Field(default=25_000_000, gt=0, description="Width × height of an image.")
    max_image_side: int = Field(default=16_384, gt=0, description="Longest side of an image, pixels.")
    image_formats: Annotated[tuple[Literal["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"], ...], NoDecode] = Field(
        default=("JPEG", "PNG", "WEBP", "GIF", "BMP"), description="Formats accepted, by content; with commas between. TIFF may be added."
    )

    @field_validator("image_formats", mode="before")
    @classmethod
    def _formats(cls, value: object) -> object:
        return tuple(name.strip().upper() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @property
    def image_limits(self) -> ImageLimits:
        """What an image may be: the service checks it at the door, the worker before it decodes."""
        return ImageLimits(
            max_bytes=self.max_image_bytes, max_pixels=self.max_image_pixels, max_side=self.max_image_side, formats=self.image_formats
        )
