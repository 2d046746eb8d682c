"""The settings of a worker, besides those that it shares with the service. The entry point builds them and hands them down."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from jobstore.settings import StoreSettings
from telemetry.logs import LogFormat, LogLevel
from workers.engine.activation_limits import ActivationLimits
from workers.models.limits import ModelLimits

_CUSTOM_OBJECT = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


class WorkerSettings(StoreSettings):
    """Settings that are read from `CONVSCOPE_*` variables.

    For example, `CONVSCOPE_PRELOAD=vgg16,resnet50` gives `preload == ("vgg16", "resnet50")`.
    """

    devices: Literal["auto", "cpu"] = Field(
        default="auto",
        description="With `auto`, there is one worker process for each GPU that TensorFlow sees, or one for the CPU if it sees none. "
        "With `cpu`, there is one for the CPU.",
    )
    preload: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("efficientnet_lite0",),
        description="Names of models, separated by commas, that a worker loads, describes and compiles when it starts.",
    )

    device_threads: int = Field(
        default=1, ge=1, le=16, description="Number of threads that call TensorFlow in a CPU worker. A GPU worker always has one."
    )
    intra_op_threads: int = Field(
        default=0,
        ge=0,
        description="Number of threads within one TensorFlow operation. 0 means the number of cores divided by `device_threads`.",
    )
    max_batch: int = Field(default=32, ge=1, description="Largest number of compatible fast jobs that run as one batch.")
    fast_in_flight: int = Field(
        default=64,
        ge=1,
        description="Largest number of fast jobs that a worker holds. It should be two batches: one is computed while the next is decoded.",
    )
    slow_in_flight: int = Field(
        default=2, ge=1, description="Largest number of slow jobs that a worker holds. They take turns on the device, slice by slice."
    )
    loading_in_flight: int = Field(
        default=1000,
        ge=1,
        description="A worker claims no more jobs while this many wait in it until their models are loaded. Jobs that wait for a model do "
        "not count towards `fast_in_flight` and `slow_in_flight`.",
    )
    slow_patience: float = Field(
        default=2.0, gt=0, description="Seconds that a slow job waits for fast jobs. After that, its next slice goes before them."
    )
    decode_threads: int = Field(default=2, ge=1, description="Number of images that a worker decodes at once.")
    render_threads: int = Field(default=2, ge=1, description="Number of pictures that a worker draws and encodes at once.")
    load_threads: int = Field(default=2, ge=1, description="Number of models that a worker loads at once.")
    result_memory: int = Field(
        default=128 * 2**20,
        ge=0,
        description="Bytes of computed results that a worker keeps in memory. A job that differs from a recent one only in how it is drawn "
        "is drawn from its result, without the device. With 0, nothing is kept.",
    )

    max_loaded_bytes: int = Field(
        default=4 * 1024**3,
        gt=0,
        description="Largest total size of loaded models, in bytes: their weights, the copies with folded batch normalisation and in "
        "bfloat16, and an estimate for compiled functions. Beyond it, the models that were not used for the longest time are unloaded. A "
        "model whose weights alone are larger is refused.",
    )

    custom_objects: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Python classes and functions that model files may name besides those of Keras: `module:Class,module:function`. "
        "Workers import these modules, so name only code that you trust. By default there are none.",
    )

    max_model_expanded_bytes: int = Field(
        default=4 * 2**30, gt=0, description="Largest size of the uncompressed content of such a file, in bytes."
    )
    max_model_parameters: int = Field(
        default=200_000_000, gt=0, description="Largest number of parameters of a model from the models folder."
    )
    max_model_layers: int = Field(
        default=2_000,
        gt=0,
        description="Largest number of layers of a model from the models folder, nested layers included. Each call of a layer counts.",
    )
    max_layer_activation_bytes: int = Field(
        default=2**30, gt=0, description="Largest size of what one layer of a model gives for one input, in bytes."
    )
    max_activation_bytes: int = Field(
        default=4 * 2**30,
        gt=0,
        description="Largest size of what all layers of a model give together for one input, in bytes. It is reckoned before it runs. "
        "A batch that would take more is split.",
    )
    load_timeout: float = Field(
        default=120.0,
        gt=0,
        description="Seconds of processor time that reading a file of the models folder may take, in a child process. The wall time may be "
        "twice as long.",
    )
    load_memory_bytes: int = Field(
        default=8 * 2**30,
        ge=2**28,
        description="Largest address space of the child process that reads such a file, in bytes. "
        "It also bounds what all ONNX models of a worker take together when they run.",
    )
    max_download_bytes: int = Field(default=2 * 2**30, gt=0, description="Largest size of a file of weights that is downloaded, in bytes.")
    download_timeout: float = Field(default=1800.0, gt=0, description="Seconds that such a download may take.")

    job_timeout: float = Field(
        default=3600.0,
        gt=0,
        description="Seconds that one attempt at a job may take in all, from the moment a worker begins it. Loading and the turns of other "
        "jobs on the device count, the time in the queue does not. After that, the job fails with `timeout`.",
    )
    job_device_seconds: float = Field(
        default=300.0,
        gt=0,
        description="Seconds that one attempt at a slow job may use the device. Only its own slices count. After that, the job fails with "
        "`timeout`.",
    )
    device_timeout: float = Field(
        default=30.0, gt=0, description="Seconds that one call of TensorFlow may take. After that, the worker process is replaced."
    )
    compile_timeout: float = Field(
        default=180.0,
        gt=0,
        description="Seconds that TensorFlow may take to compile a function, or to prepare one for inputs of a new shape. After that, the "
        "worker process is replaced.",
    )
    startup_timeout: float = Field(
        default=120.0, gt=0, description="Seconds that a worker process may take to start. After that, it is replaced."
    )
    worker_drain: float = Field(
        default=60.0,
        ge=0,
        description="Seconds that a worker has to finish its jobs after SIGTERM. Jobs that remain go back to the queue.",
    )

    claim_block: float = Field(default=1.0, gt=0, description="Seconds that one call to Redis waits for new jobs.")
    cancel_poll: float = Field(default=0.1, gt=0, description="Seconds between two checks of whether a running slow job has been canceled.")
    progress_interval: float = Field(default=0.1, gt=0, description="Shortest time between two progress events of a job, in seconds.")
    preview_interval: float = Field(default=1.0, gt=0, description="Shortest time between two preview pictures of a job, in seconds.")

    worker_metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the first worker process for Prometheus. Each further process uses the next port. 0 means none.",
    )
    worker_metrics_host: str = Field(
        default="127.0.0.1",
        description="Address on which worker processes answer Prometheus. No key is needed there, so open it in a private network only.",
    )
    log_level: LogLevel = Field(default="info", description="Lowest level that is logged: `debug`, `info`, `warning` or `error`.")
    log_format: LogFormat = Field(
        default="auto",
        description="Format of log lines: `json`, `console`, or `auto`, which is `console` on a terminal and `json` elsewhere.",
    )

    @property
    def model_limits(self) -> ModelLimits:
        """The limits of a model file, for the loader."""
        return ModelLimits(
            max_file_bytes=self.max_model_file_bytes,
            max_expanded_bytes=self.max_model_expanded_bytes,
            max_parameters=self.max_model_parameters,
            max_layers=self.max_model_layers,
            activations=ActivationLimits(largest=self.max_layer_activation_bytes, kept=self.max_activation_bytes),
            load_timeout=self.load_timeout,
            load_memory_bytes=self.load_memory_bytes,
            max_download_bytes=self.max_download_bytes,
            download_timeout=self.download_timeout,
            custom_objects=self.custom_objects,
        )

    @field_validator("custom_objects")
    @classmethod
    def _check_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in names if not _CUSTOM_OBJECT.fullmatch(name)]:
            raise ValueError(f"must be names such as frogs.layers:Croak, separated by commas; got {', '.join(wrong)}")
        return names

    @field_validator("preload", "custom_objects", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value
