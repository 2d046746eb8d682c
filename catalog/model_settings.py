"""Define what an operator can set for a model, in `models.toml` or in the TOML file beside a model file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import CatalogError
from schemas.models import VARIABLE_LONGEST_SIDE, ArrayRule, AxesOrder, Bands, HeadSetting, Preprocessing, SixteenBits

PreprocessingMode = Literal["caffe", "tf", "torch", "none"]


class InputSettings(BaseModel):
    """The settings of one input of a model: the table `[inputs.NAME]` in the model's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preprocessing: Preprocessing | PreprocessingMode | None = Field(
        default=None, description="How a photo becomes this input: a named convention or numbers. By default it is that of the model."
    )
    arrays: ArrayRule = Field(
        default="as_given",
        description="`preprocessed` applies mean and std to arrays, too. By default an array is taken as it is (`as_given`).",
    )
    sixteen_bits: SixteenBits | None = Field(
        default=None,
        description="What becomes of a photo of 16-bit grey, if the input has one channel: `kept` gives the input its values 0-65535, and "
        "`scaled` brings them to 0-255, with fractions. By default they are `kept` if the input has no preprocessing (`none`) or "
        "`arrays` is `preprocessed`, and else `scaled`.",
    )
    bands: Bands | None = Field(
        default=None, description="These channels of an array are shown: one as grey, or three as colours. By default the first three are."
    )

    def preprocessing_or(self, default: PreprocessingMode) -> Preprocessing:
        """Return the preprocessing that is set, or the named convention `default` if none is set."""
        return named_preprocessing(self.preprocessing, default)


class ModelSettings(BaseModel):
    """The settings of one model: the table `[NAME]` of `models.toml`, or the file `NAME.toml` beside a model file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str | None = Field(default=None, description="People read this title. By default it is the class name or the file name.")
    architecture: str | None = Field(
        default=None, description="A `keras_applications` name, allowed in `models.toml` only. By default it is the table's own name."
    )
    weights: str | None = Field(
        default=None,
        description="`imagenet`, `random`, or a weights file (.weights.h5, .keras, .h5) in the models folder. "
        "It is allowed in `models.toml` only. By default it is `imagenet`.",
    )
    input_size: tuple[int, int] | None = Field(
        default=None, description="(height, width) in pixels to which an image is resized. By default it is the model's own size."
    )
    preprocessing: Preprocessing | PreprocessingMode | None = Field(
        default=None, description="A named convention or numbers. By default it is the architecture's own, and `none` for a model file."
    )
    longest_side: int = Field(
        default=VARIABLE_LONGEST_SIDE,
        ge=16,
        le=8192,
        description="If the model takes any size, a photo with a longer side than so many pixels is scaled down. By default it is 512. The "
        "memory of a pass grows with the area.",
    )
    labels: Path | Literal["imagenet"] | None = Field(
        default=None,
        description="`imagenet`, or a text file with one label per line, relative to the models folder. "
        "By default a model with ImageNet weights has ImageNet labels, and any other model has none.",
    )
    default_layer: str | None = Field(
        default=None, description="The target layer if the caller names none. By default it is the last layer with a spatial map."
    )
    input: str | None = Field(
        default=None, description="The name of the input that takes the image. By default it is the first input that can take one."
    )
    inputs: dict[str, InputSettings] = Field(
        default_factory=dict[str, InputSettings],
        description="The settings of single inputs by name: `preprocessing`, `arrays`, `sixteen_bits` and `bands`. By default no input has "
        "its own.",
    )
    head: HeadSetting | None = Field(
        default=None,
        description="It says what the values of the first output are: `logits`, `probabilities` or `log_probabilities` (natural "
        "logarithms). By default a worker finds this out from the model's layers and from what the output is for a few images.",
    )

    layout: AxesOrder | None = Field(
        default=None,
        description="The order of the image's axes in an ONNX or TFLite file: `nhwc` (N, height, width, channels) or `nchw`. By default it "
        "follows from the shape of the input.",
    )

    def preprocessing_or(self, default: PreprocessingMode) -> Preprocessing:
        """Return the preprocessing that is set, or the named convention `default` if none is set."""
        return named_preprocessing(self.preprocessing, default)

    def digest(self, *files: Path | str | None) -> str:
        """Return a hash of these settings and of the name, size and modification time of each file that exists."""
        hashed = [self.model_dump_json()]
        for file in files:
            if isinstance(file, Path) and file.is_file():
                status = file.stat()
                hashed.append(f"{file.name}:{status.st_size}:{status.st_mtime_ns}")
        return hashlib.sha256("\n".join(hashed).encode()).hexdigest()[:16]


def named_preprocessing(given: Preprocessing | PreprocessingMode | None, default: PreprocessingMode) -> Preprocessing:
    """Return the numbers of a preprocessing that is given by its numbers or its name, or of the convention `default`."""
    return given if isinstance(given, Preprocessing) else Preprocessing.named(given or default)


def path_inside(folder: Path, relative: str, model: str) -> Path:
    """Return the absolute path of a file that the settings of `model` name.

    Raises:
        CatalogError: the path, with its links resolved, leaves `folder`.
    """
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise CatalogError(f"The settings of '{model}' name the file '{relative}', which is outside the models folder.")
    return path


def labels_inside(folder: Path, labels: Path | Literal["imagenet"] | None, model: str) -> Path | Literal["imagenet"] | None:
    """Return `labels` with a file's path made absolute.

    Raises:
        CatalogError: the file is outside `folder`.
    """
    return path_inside(folder, str(labels), model) if isinstance(labels, Path) else labels
