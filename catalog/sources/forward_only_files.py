"""The model files in the models folder that can only be run: ONNX and TFLite. They have no layers and no gradients."""

from __future__ import annotations

from catalog.errors import CatalogError
from catalog.model_settings import ModelSettings
from catalog.sources.files_of_a_format import FilesOfAFormat


class _ForwardOnlyFiles(FilesOfAFormat):
    def check_settings(self, settings: ModelSettings, file_name: str) -> None:
        if settings.default_layer is not None:
            raise CatalogError(f"{file_name} sets default_layer, but a model in an {self.name.upper()} file has no layers to look at.")


class OnnxSource(_ForwardOnlyFiles):
    """List every `.onnx` file of the models folder. Workers need the extra `onnx` to run them."""

    name = "onnx"
    suffixes = (".onnx",)


class TfliteSource(_ForwardOnlyFiles):
    """List every `.tflite` file of the models folder. Workers need the extra `tflite` to run them."""

    name = "tflite"
    suffixes = (".tflite",)
