"""Explain the errors of names that do not exist, or do not suit."""

from __future__ import annotations

from schemas import errors
from schemas.error_causes.cause import ErrorCause
from schemas.methods.forward_only import needs_layers

UNKNOWN_NAMES = (
    ErrorCause(
        errors.UnknownMethod("There is no method 'grad_can'. Nearest: grad_cam.", pointer="/method", got="grad_can", nearest=["grad_cam"]),
        "No method has this name.",
        "Take a name of `GET /v1/methods`. `nearest` lists similar ones. The status is 404 if the name is part of the address.",
    ),
    ErrorCause(
        errors.UnknownModel("There is no model 'vgg17'. Nearest: vgg19, vgg16.", pointer="/model", got="vgg17", nearest=["vgg19", "vgg16"]),
        "No model has this name.",
        "Take a name of `GET /v1/models`. `nearest` lists similar ones. The status is 404 if the name is part of the address.",
    ),
    ErrorCause(
        errors.UnknownLayer(
            "Model 'vgg16' has no layer 'block5_conv9'. Nearest: block5_conv3.",
            pointer="/params/layer",
            got="block5_conv9",
            nearest=["block5_conv3"],
        ),
        "The model has no layer of this path.",
        "Take a path of `GET /v1/models/{model}/layers`. A layer inside a nested model is named `base/block5_conv3`.",
    ),
    ErrorCause(
        errors.UnsuitableLayer(
            "Layer 'predictions' has no spatial map.", pointer="/params/layer", allowed="a layer with a map", got="predictions"
        ),
        "The layer exists, but the method cannot use it: for example, Grad-CAM needs a layer with a spatial map. "
        "`lrp` names the layer that it has no rule for.",
        "Choose another layer, or leave the layer out to get the model's default. `GET /v1/models/{model}` shows each layer's "
        "`output_shape` and whether it is `cam_able`.",
    ),
    ErrorCause(
        needs_layers("flowers", "grad_cam"),
        "The model is an ONNX or TFLite file. It can be run, but it has no layers and no gradients, and the method needs them.",
        "Take a method of `allowed`, or use the model as a Keras file.",
    ),
    ErrorCause(
        errors.UnknownClass(
            "Model 'efficientnet_lite0' has the classes 0 to 999; got 1000.",
            pointer="/params/class_index",
            allowed="0 to 999",
            got="1000",
        ),
        "The model has no such class, no class with this label, or no classes at all.",
        "Search the labels with `GET /v1/models/{model}/labels?q=cat`. A model without classes can be explained by another `target`.",
    ),
    ErrorCause(
        errors.UnknownChannel(
            "Layer 'block1_conv1' has the channels 0 to 63; got 64.", pointer="/params/channels", allowed="0 to 63", got="64"
        ),
        "The layer has fewer channels than the request names.",
        "Take channels of the range in `allowed`.",
    ),
)
