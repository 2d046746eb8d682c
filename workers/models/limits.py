"""The limits of a model file that a worker admits. Each limit is checked before the work that it bounds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workers.engine.activation_limits import ActivationLimits


class ModelLimits(BaseModel):
    """The largest model file, weights file and model that a worker loads, and the classes that a file may name besides Keras's own."""

    model_config = ConfigDict(frozen=True)

    max_file_bytes: int = Field(default=2**30, gt=0, description="The largest size of a file in bytes.")
    max_expanded_bytes: int = Field(default=4 * 2**30, gt=0, description="The largest size in bytes of a file's expanded contents.")
    max_parameters: int = Field(default=200_000_000, gt=0, description="The largest number of parameters of a model.")
    activations: ActivationLimits = Field(
        default=ActivationLimits(), description="The largest sizes of a model's activations for one input."
    )
    max_layers: int = Field(
        default=2_000, gt=0, description="The largest number of layers of a model, nested ones included; each call of a layer counts."
    )
    max_config_bytes: int = Field(default=64 * 2**20, gt=0, description="The largest size of a model's configuration in bytes.")
    load_timeout: float = Field(
        default=120.0,
        gt=0,
        description="The processor time in seconds that the process that reads a file may take. The wall time may be twice as long.",
    )
    load_memory_bytes: int = Field(default=8 * 2**30, ge=2**28, description="The largest address space in bytes of that process.")
    max_download_bytes: int = Field(default=2 * 2**30, gt=0, description="The largest size of a download of weights in bytes.")
    download_timeout: float = Field(default=1800.0, gt=0, description="The longest time in seconds that such a download may take.")
    custom_objects: tuple[str, ...] = Field(default=(), description="The operator's own classes and functions, each as `module:name`.")
