"""The examples of keras.io, with Keras 3."""

from __future__ import annotations

from benchmarks import keras_io
from benchmarks.peers.offers import Call, offers, versions
from benchmarks.peers.shared_models import headless_vgg, keras_model
from benchmarks.peers.work import FILTERS_LAYER, FILTERS_SIDE, LAYERS, Given, PeerWork

VERSIONS = versions("keras")
_NAME = "keras.io"


@offers("grad_cam", _NAME)
def grad_cam(work: PeerWork, given: Given) -> Call:
    explain = keras_io.grad_cam(keras_model(work.model, given), LAYERS[work.model])
    photos = given.photos(work.model, work.images)
    return lambda: [explain(photo[None]) for photo in photos]


@offers("filters", _NAME)
def filters(work: PeerWork, given: Given) -> Call:
    """Each call makes the loop anew, as each run of the example does."""
    model = headless_vgg(given)

    def call() -> object:
        synthesise = keras_io.filters(model, FILTERS_LAYER, FILTERS_SIDE, work.amount)
        return [synthesise(channel) for channel in range(work.images)]

    return call
