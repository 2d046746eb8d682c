"""Which models there are: the built-in ones, `keras_applications` by name, entries of `models.toml`, files in the models folder.

Both the service (to list and to refuse) and the workers (to load) read this; nothing here needs TensorFlow.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.errors import UnknownModel, nearest_names
from schemas.models import MODEL_NAME_PATTERN, ModelName, ModelSource, Preprocessing

_T = TypeVar("_T")

PreprocessingMode = Literal["caffe", "tf", "torch", "none"]
MODEL_FILE_SUFFIXES = (".keras", ".h5")

# name: (class in keras.applications, side of its input, convention of its preprocess_input). ConvNeXt, EfficientNet,
# EfficientNetV2 and MobileNetV3 have their preprocessing inside the model and take 0-255.
KERAS_APPLICATIONS: Mapping[str, tuple[str, int, PreprocessingMode]] = {
    "convnext_tiny": ("ConvNeXtTiny", 224, "none"),
    "convnext_small": ("ConvNeXtSmall", 224, "none"),
    "convnext_base": ("ConvNeXtBase", 224, "none"),
    "convnext_large": ("ConvNeXtLarge", 224, "none"),
    "convnext_xlarge": ("ConvNeXtXLarge", 224, "none"),
    "densenet121": ("DenseNet121", 224, "torch"),
    "densenet169": ("DenseNet169", 224, "torch"),
    "densenet201": ("DenseNet201", 224, "torch"),
    "efficientnet_b0": ("EfficientNetB0", 224, "none"),
    "efficientnet_b1": ("EfficientNetB1", 240, "none"),
    "efficientnet_b2": ("EfficientNetB2", 260, "none"),
    "efficientnet_b3": ("EfficientNetB3", 300, "none"),
    "efficientnet_b4": ("EfficientNetB4", 380, "none"),
    "efficientnet_b5": ("EfficientNetB5", 456, "none"),
    "efficientnet_b6": ("EfficientNetB6", 528, "none"),
    "efficientnet_b7": ("EfficientNetB7", 600, "none"),
    "efficientnet_v2_b0": ("EfficientNetV2B0", 224, "none"),
    "efficientnet_v2_b1": ("EfficientNetV2B1", 240, "none"),
    "efficientnet_v2_b2": ("EfficientNetV2B2", 260, "none"),
    "efficientnet_v2_b3": ("EfficientNetV2B3", 300, "none"),
    "efficientnet_v2_s": ("EfficientNetV2S", 384, "none"),
    "efficientnet_v2_m": ("EfficientNetV2M", 480, "none"),
    "efficientnet_v2_l": ("EfficientNetV2L", 480, "none"),
    "inception_resnet_v2": ("InceptionResNetV2", 299, "tf"),
    "inception_v3": ("InceptionV3", 299, "tf"),
    "mobilenet": ("MobileNet", 224, "tf"),
    "mobilenet_v2": ("MobileNetV2", 224, "tf"),
    "mobilenet_v3_large": ("MobileNetV3Large", 224, "none"),
    "mobilenet_v3_small": ("MobileNetV3Small", 224, "none"),
    "nasnet_large": ("NASNetLarge", 331, "tf"),
    "nasnet_mobile": ("NASNetMobile", 224, "tf"),
    "resnet50": ("ResNet50", 224, "caffe"),
    "resnet101": ("ResNet101", 224, "caffe"),
    "resnet152": ("ResNet152", 224, "caffe"),
    "resnet50_v2": ("ResNet50V2", 224, "tf"),
    "resnet101_v2": ("ResNet101V2", 224, "tf"),
    "resnet152_v2": ("ResNet152V2", 224, "tf"),
    "vgg16": ("VGG16", 224, "caffe"),
    "vgg19": ("VGG19", 224, "caffe"),
    "xception": ("Xception", 299, "tf"),
}

# (x − 127) / 128 of the centred square, as the weights were trained; bicubic is what its known predictions were measured with.
EFFICIENTNET_LITE0 = Preprocessing(mode="custom", order="rgb", mean=(127.0,), std=(128.0,), resize="bicubic", fit="crop")


class ModelSettings(BaseModel):
    """What an operator may say of a model, in `models.toml` under `[NAME]` or, for a file, in `NAME.toml` beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str | None = None
    architecture: str | None = Field(
        default=None, description="`models.toml` only: a `keras_applications` name; default: the entry's own name."
    )
    weights: str | None = Field(
        default=None,
        description="`models.toml` only: `imagenet`, `random`, or a weights file (.weights.h5, .keras, .h5) in the models folder.",
    )
    input_size: tuple[int, int] | None = Field(default=None, description="(height, width) the photo is brought to.")
    preprocessing: Preprocessing | PreprocessingMode | None = None
    labels: Path | Literal["imagenet"] | None = Field(
        default=None, description="`imagenet`, or a text file, one label a line, relative to the models folder."
    )
    default_layer: str | None = None
    input: str | None = Field(default=None, description="Of a model with several inputs, the photo's; default: the first that takes one.")


class CatalogEntry(BaseModel):
    """One model that can be asked for. `digest` changes when its settings or its file do."""

    model_config = ConfigDict(frozen=True)

    name: ModelName
    source: ModelSource
    title: str
    architecture: str | None = Field(description="Name in `KERAS_APPLICATIONS`; null for a file and for a built-in model.")
    file: Path | None = Field(description="The model file (source `file`).")
    weights: str | Path | None = Field(
        description="`imagenet`, `random` or a weights file; null where the file or the built-in model has its own."
    )
    input_size: tuple[int, int] | None
    preprocessing: Preprocessing
    labels: Path | Literal["imagenet"] | None
    default_layer: str | None
    input: str | None = Field(default=None, description="Name of the photo's input; null: the first that takes one.")
    digest: str


class CatalogError(ValueError):
    """`models.toml` or a side file is wrong; says which file and which field."""


class Catalog(Mapping[str, CatalogEntry]):
    """The models that can be asked for, by name. Never holds a path that a caller gave."""

    def __init__(self, entries: Mapping[str, CatalogEntry]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> CatalogEntry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, name: str, pointer: str | None = "/model") -> CatalogEntry:
        """The entry of `name`; `UnknownModel` with the nearest names where there is none."""
        try:
            return self._entries[name]
        except KeyError:
            nearest = nearest_names(name, self._entries)
            hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
            raise UnknownModel(f"There is no model '{name}'.{hint} See /v1/models.", pointer=pointer, got=name, nearest=nearest) from None


def load_catalog(models_file: Path, models_dir: Path) -> Catalog:
    """Reads `models.toml` and the models folder; either may be missing.

    Raises:
        CatalogError: a file that is not valid, or two models of one name.
    """
    entries = {"efficientnet_lite0": _builtin_efficientnet_lite0()}
    for name, (_, side, mode) in KERAS_APPLICATIONS.items():
        entries[name] = _application(name, ModelSettings(), models_dir, side, mode)
    for name, settings in _read_models_file(models_file).items():
        architecture = settings.architecture or name
        if architecture not in KERAS_APPLICATIONS:
            near = ", ".join(nearest_names(architecture, KERAS_APPLICATIONS)) or "see keras.io/api/applications"
            raise CatalogError(f"{models_file.name}: [{name}] names no keras_applications architecture: '{architecture}' (nearest: {near})")
        _, side, mode = KERAS_APPLICATIONS[architecture]
        entries[name] = _application(name, settings, models_dir, side, mode)
    for path in sorted(models_dir.glob("*")) if models_dir.is_dir() else ():
        if path.suffix.lower() not in MODEL_FILE_SUFFIXES or path.name.lower().endswith(".weights.h5") or not path.is_file():
            continue
        entry = _file(path)
        if entry.name in entries:
            raise CatalogError(f"two models are called '{entry.name}': {path.name} and a {entries[entry.name].source} one; rename the file")
        entries[entry.name] = entry
    return Catalog(entries)


def _builtin_efficientnet_lite0() -> CatalogEntry:
    return CatalogEntry(
        name="efficientnet_lite0",
        source="builtin",
        title="EfficientNet-Lite0, ImageNet",
        architecture=None,
        file=None,
        weights=None,
        input_size=(224, 224),
        preprocessing=EFFICIENTNET_LITE0,
        labels="imagenet",
        default_layer=None,
        digest="builtin-1",
    )


def _application(name: str, settings: ModelSettings, models_dir: Path, side: int, mode: PreprocessingMode) -> CatalogEntry:
    architecture = settings.architecture or name
    weights: str | Path = settings.weights or "imagenet"
    if weights not in ("imagenet", "random"):
        weights = _inside(models_dir, str(weights), name)
    labels = _labels(settings.labels or ("imagenet" if weights == "imagenet" else None), models_dir, name)
    return CatalogEntry(
        name=name,
        source="keras_applications",
        title=settings.title or KERAS_APPLICATIONS[architecture][0],
        architecture=architecture,
        file=None,
        weights=weights,
        input_size=settings.input_size or (side, side),
        preprocessing=_preprocessing(settings.preprocessing, mode),
        labels=labels,
        default_layer=settings.default_layer,
        input=settings.input,
        digest=_digest(settings, weights, labels),
    )


def _file(path: Path) -> CatalogEntry:
    name = path.stem
    _check_name(name, path.name)
    side_file = path.with_suffix(".toml")
    settings = _read(side_file, TypeAdapter(ModelSettings)) if side_file.is_file() else ModelSettings()
    if settings.architecture or settings.weights:
        raise CatalogError(f"{side_file.name}: architecture and weights belong in models.toml; a model file has its own")
    labels = _labels(settings.labels, path.parent, name)
    return CatalogEntry(
        name=name,
        source="file",
        title=settings.title or path.name,
        architecture=None,
        file=path.resolve(),
        weights=None,
        input_size=settings.input_size,
        preprocessing=_preprocessing(settings.preprocessing, "none"),
        labels=labels,
        default_layer=settings.default_layer,
        input=settings.input,
        digest=_digest(settings, path, labels),
    )


def _read_models_file(path: Path) -> dict[str, ModelSettings]:
    if not path.is_file():
        return {}
    tables = _read(path, TypeAdapter(dict[str, ModelSettings]))
    for name in tables:
        _check_name(name, path.name)
    return tables


def _read(path: Path, what: TypeAdapter[_T]) -> _T:
    try:
        return what.validate_python(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise CatalogError(f"{path.name}: {error}") from error


def _check_name(name: str, where: str) -> None:
    try:
        TypeAdapter(ModelName).validate_python(name)
    except ValidationError as error:
        raise CatalogError(f"{where}: '{name}' cannot be a model's name; names match {MODEL_NAME_PATTERN}") from error


def _preprocessing(given: Preprocessing | PreprocessingMode | None, default: PreprocessingMode) -> Preprocessing:
    return given if isinstance(given, Preprocessing) else Preprocessing.named(given or default)


def _labels(given: Path | Literal["imagenet"] | None, folder: Path, name: str) -> Path | Literal["imagenet"] | None:
    return _inside(folder, str(given), name) if isinstance(given, Path) else given


def _inside(folder: Path, relative: str, name: str) -> Path:
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise CatalogError(f"[{name}] names a file outside the models folder: {relative}")
    return path


def _digest(settings: ModelSettings, *files: Path | str | None) -> str:
    parts = [settings.model_dump_json()]
    for file in files:
        if isinstance(file, Path) and file.is_file():
            status = file.stat()
            parts.append(f"{file.name}:{status.st_size}:{status.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
