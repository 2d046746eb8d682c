"""The architectures of `keras.applications`, with the numbers that their weights were trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from catalog.model_settings import PreprocessingMode


class KerasArchitecture(NamedTuple):
    """One architecture: its class in `keras.applications`, its input and its preprocessing."""

    class_name: str
    side: int  # height and width of the input in pixels
    preprocessing: PreprocessingMode  # the convention of the family's own `preprocess_input`


# ConvNeXt, EfficientNet, EfficientNetV2 and MobileNetV3 have their preprocessing inside the model, so their inputs are 0-255.
KERAS_APPLICATIONS: Mapping[str, KerasArchitecture] = {
    "convnext_tiny": KerasArchitecture("ConvNeXtTiny", 224, "none"),
    "convnext_small": KerasArchitecture("ConvNeXtSmall", 224, "none"),
    "convnext_base": KerasArchitecture("ConvNeXtBase", 224, "none"),
    "convnext_large": KerasArchitecture("ConvNeXtLarge", 224, "none"),
    "convnext_xlarge": KerasArchitecture("ConvNeXtXLarge", 224, "none"),
    "densenet121": KerasArchitecture("DenseNet121", 224, "torch"),
    "densenet169": KerasArchitecture("DenseNet169", 224, "torch"),
    "densenet201": KerasArchitecture("DenseNet201", 224, "torch"),
    "efficientnet_b0": KerasArchitecture("EfficientNetB0", 224, "none"),
    "efficientnet_b1": KerasArchitecture("EfficientNetB1", 240, "none"),
    "efficientnet_b2": KerasArchitecture("EfficientNetB2", 260, "none"),
    "efficientnet_b3": KerasArchitecture("EfficientNetB3", 300, "none"),
    "efficientnet_b4": KerasArchitecture("EfficientNetB4", 380, "none"),
    "efficientnet_b5": KerasArchitecture("EfficientNetB5", 456, "none"),
    "efficientnet_b6": KerasArchitecture("EfficientNetB6", 528, "none"),
    "efficientnet_b7": KerasArchitecture("EfficientNetB7", 600, "none"),
    "efficientnet_v2_b0": KerasArchitecture("EfficientNetV2B0", 224, "none"),
    "efficientnet_v2_b1": KerasArchitecture("EfficientNetV2B1", 240, "none"),
    "efficientnet_v2_b2": KerasArchitecture("EfficientNetV2B2", 260, "none"),
    "efficientnet_v2_b3": KerasArchitecture("EfficientNetV2B3", 300, "none"),
    "efficientnet_v2_s": KerasArchitecture("EfficientNetV2S", 384, "none"),
    "efficientnet_v2_m": KerasArchitecture("EfficientNetV2M", 480, "none"),
    "efficientnet_v2_l": KerasArchitecture("EfficientNetV2L", 480, "none"),
    "inception_resnet_v2": KerasArchitecture("InceptionResNetV2", 299, "tf"),
    "inception_v3": KerasArchitecture("InceptionV3", 299, "tf"),
    "mobilenet": KerasArchitecture("MobileNet", 224, "tf"),
    "mobilenet_v2": KerasArchitecture("MobileNetV2", 224, "tf"),
    "mobilenet_v3_large": KerasArchitecture("MobileNetV3Large", 224, "none"),
    "mobilenet_v3_small": KerasArchitecture("MobileNetV3Small", 224, "none"),
    "nasnet_large": KerasArchitecture("NASNetLarge", 331, "tf"),
    "nasnet_mobile": KerasArchitecture("NASNetMobile", 224, "tf"),
    "resnet50": KerasArchitecture("ResNet50", 224, "caffe"),
    "resnet101": KerasArchitecture("ResNet101", 224, "caffe"),
    "resnet152": KerasArchitecture("ResNet152", 224, "caffe"),
    "resnet50_v2": KerasArchitecture("ResNet50V2", 224, "tf"),
    "resnet101_v2": KerasArchitecture("ResNet101V2", 224, "tf"),
    "resnet152_v2": KerasArchitecture("ResNet152V2", 224, "tf"),
    "vgg16": KerasArchitecture("VGG16", 224, "caffe"),
    "vgg19": KerasArchitecture("VGG19", 224, "caffe"),
    "xception": KerasArchitecture("Xception", 299, "tf"),
}
