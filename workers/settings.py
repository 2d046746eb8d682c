"""What an operator may set of a worker, beside what it shares with the service. Built in the entry point, handed down."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from jobstore.settings import StoreSettings
from telemetry.logs import LogFormat, LogLevel
from workers.models.limits import ModelLimits


class Settings(StoreSettings):
    """Read from `CONVSCOPE_*` variables."""

    devices: Literal["auto", "cpu"] = Field(
        default="auto", description="`auto`: one worker process for each GPU that TensorFlow sees, one for the CPU where it sees none."
    )
    preload: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("efficientnet_lite0",), description="Models loaded, described and compiled at start; names with commas between."
    )

    device_threads: int = Field(default=1, ge=1, le=16, description="Executor threads of a CPU worker. A GPU has one.")
    intra_op_threads: int = Field(default=0, ge=0, description="Threads of one TensorFlow operation; 0: cores over device threads.")
    max_batch: int = Field(default=32, ge=1, description="Compatible fast jobs run as one batch.")
    fast_in_flight: int = Field(default=64, ge=1, description="Fast jobs a worker holds: one batch on the device, the next being decoded.")
    slow_in_flight: int = Field(default=2, ge=1, description="Slow jobs a worker holds; they share the device slice by slice.")
    slow_patience: float = Field(default=2.0, gt=0, description="Seconds after which a slow job gets a slice although fast ones wait.")
    decode_threads: int = Field(default=2, ge=1, description="Images decoded at once.")
    render_threads: int = Field(default=2, ge=1, description="Pictures drawn and encoded at once.")

    max_loaded_bytes: int = Field(default=4 * 1024**3, gt=0, description="Memory of loaded models; the least recently used ones go.")

    max_model_file_bytes: int = Field(default=2**30, gt=0, description="Size of a file in the models folder.")
    max_model_expanded_bytes: int = Field(default=4 * 2**30, gt=0, description="Size of what such a file expands to.")
    max_model_parameters: int = Field(default=200_000_000, gt=0, description="Parameters of the model in it.")
    max_model_layers: int = Field(default=2_000, gt=0, description="Layers of the model in it, nested ones included.")

    job_timeout: float = Field(default=300.0, gt=0, description="Seconds of wall time one attempt at a job may take.")
    device_timeout: float = Field(default=30.0, gt=0, description="Seconds after which a device step is hung and the worker is replaced.")
    compile_timeout: float = Field(default=180.0, gt=0, description="The same for the first step of its kind, which compiles.")
    startup_timeout: float = Field(default=120.0, gt=0, description="Seconds a worker process may take until its loop turns.")
    worker_drain: float = Field(default=60.0, ge=0, description="Seconds to finish jobs after SIGTERM; what is left is given back.")

    claim_block: float = Field(default=1.0, gt=0, description="Seconds one claim waits for work.")
    cancel_poll: float = Field(default=0.1, gt=0, description="Seconds between looks whether a running slow job is still wanted.")
    progress_interval: float = Field(default=0.1, gt=0, description="Seconds between a job's progress events.")
    preview_interval: float = Field(default=1.0, gt=0, description="Seconds between a job's preview pictures.")

    worker_metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Prometheus on this loopback port, the next for the next process; 0: off."
    )
    log_level: LogLevel = Field(default="info", description="`debug`, `info`, `warning` or `error`.")
    log_format: LogFormat = Field(default="auto", description="`json`, `console`, or `auto`: console on a terminal.")

    @property
    def model_limits(self) -> ModelLimits:
        return ModelLimits(
            max_file_bytes=self.max_model_file_bytes,
            max_expanded_bytes=self.max_model_expanded_bytes,
            max_parameters=self.max_model_parameters,
            max_layers=self.max_model_layers,
        )

    @field_validator("preload", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value
