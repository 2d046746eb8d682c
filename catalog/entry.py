"""One model that callers can ask for by name, as the service lists it and the workers load it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.model_settings import InputSettings
from schemas.models import VARIABLE_LONGEST_SIDE, AxesOrder, HeadSetting, ModelName, ModelSourceName, Preprocessing


class CatalogEntry(BaseModel):
    """Everything that a worker needs to load one model, before the model is loaded."""

    model_config = ConfigDict(frozen=True)

    name: ModelName = Field(description="Callers ask for the model by this name.")
    source: ModelSourceName = Field(description="This source lists the model; the worker's loader of the same name loads it.")
    title: str = Field(description="People read this title; it need not be unique.")
    architecture: str | None = Field(description="A name of `KERAS_APPLICATIONS`. It is null for a model of another source.")
    file: Path | None = Field(description="The model file. It is null for a model that is no file of the models folder.")
    weights: str | Path | None = Field(
        description="`imagenet`, `random` or a weights file. It is null if the file or the built-in model has its own weights."
    )
    input_size: tuple[int, int] | None = Field(
        description="(height, width) of the input in pixels. It is null if the model's own size is used."
    )
    preprocessing: Preprocessing = Field(description="It turns an image into the model's input.")
    longest_side: int = Field(
        default=VARIABLE_LONGEST_SIDE, description="The longest side in pixels of a photo for an input with free sides."
    )
    labels: Path | Literal["imagenet"] | None = Field(description="A text file or `imagenet`. If it is null, the classes have no labels.")
    default_layer: str | None = Field(description="The target layer if the caller names none. If it is null, a worker chooses the layer.")
    input: str | None = Field(
        default=None, description="The name of the input that takes the image. If it is null, the first suitable input takes it."
    )
    inputs: dict[str, InputSettings] = Field(
        default_factory=dict[str, InputSettings], description="The settings of single inputs of the model, by name."
    )
    head: HeadSetting | None = Field(
        default=None, description="It says what the values of the first output are. If it is null, a worker finds this out."
    )
    layout: AxesOrder | None = Field(
        default=None, description="The order of the axes in an ONNX or TFLite file. If it is null, a worker finds it out from the shape."
    )
    digest: str = Field(description="A hash that changes when the settings, the model file, the weights file or the labels file change.")
