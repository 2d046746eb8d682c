"""The models of `keras.applications` with the weights that all processes share, in the backend of this process."""

from __future__ import annotations

import keras

from benchmarks.peers.work import Given

_MAKERS = {
    "vgg16": keras.applications.VGG16,
    "resnet50": keras.applications.ResNet50,
    "mobilenet_v2": keras.applications.MobileNetV2,
}


def keras_model(name: str, given: Given) -> keras.Model:
    """Return a model of `keras.applications` with the weights that all processes share."""
    model = _MAKERS[name](weights=None)
    model.set_weights(given.weights(name))
    return model


def headless_vgg(given: Given) -> keras.Model:
    """Return VGG16 without its classifier, so that it takes images of any size."""
    model = keras.applications.VGG16(weights=None, include_top=False)
    model.set_weights(given.weights("vgg16")[: len(model.weights)])
    return model
