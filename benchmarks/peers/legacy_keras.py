"""tf-keras-vis, tf-explain and Xplique, which were written for Keras 2. This module needs TF_USE_LEGACY_KERAS=1.

tf-keras-vis and Xplique explain logits, as their documentation advises, and tf-explain explains the probability, as its own does. It takes
one class for a call, so it is called for each photo.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tf_explain.core.activations import ExtractActivations
from tf_explain.core.grad_cam import GradCAM as ExplainGradCam
from tf_explain.core.integrated_gradients import IntegratedGradients as ExplainIntegratedGradients
from tf_explain.core.occlusion_sensitivity import OcclusionSensitivity
from tf_explain.core.smoothgrad import SmoothGrad as ExplainSmoothGrad
from tf_keras_vis.activation_maximization import ActivationMaximization
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer, ReplaceToLinear
from tf_keras_vis.utils.scores import CategoricalScore

from benchmarks.peers.offers import Call, Setup, offers, versions
from benchmarks.peers.work import ACTIVATIONS_LAYER, FILTERS_LAYER, FILTERS_SIDE, LAYERS, SCORE_CAM_LAYER, Given, PeerWork
from tests.parity.stand_ins import stand_ins

with stand_ins("tensorflow_probability", "skimage"):
    import xplique.attributions as xplique
    from xplique.features_visualizations import Objective, optimize

VERSIONS = versions("tf-keras", "tf-keras-vis", "tf-explain", "xplique")
_VIS, _EXPLAIN, _XPLIQUE = "tf-keras-vis", "tf-explain", "Xplique"
_MAKERS = {
    "vgg16": tf_keras.applications.VGG16,
    "resnet50": tf_keras.applications.ResNet50,
    "mobilenet_v2": tf_keras.applications.MobileNetV2,
}
_WINDOW, _BATCH = 32, 32


def _model(work: PeerWork, given: Given, *, logits: bool) -> tf_keras.Model:
    model = _MAKERS[work.model](weights=None)
    model.set_weights(given.weights(work.model))
    if not logits:
        return model
    model.layers[-1].activation = tf_keras.activations.linear
    model = tf_keras.Model(model.inputs, model.outputs)
    given.check_twin(work.model, model(given.photos(work.model, 2)).numpy())
    return model


def _headless(given: Given, side: int | None = None) -> tf_keras.Model:
    model = tf_keras.applications.VGG16(weights=None, include_top=False, input_shape=(side, side, 3))
    model.set_weights(given.weights("vgg16")[: len(model.weights)])
    return model


@offers("grad_cam", _VIS)
@offers("eight_jobs", _VIS)
def vis_grad_cam(work: PeerWork, given: Given) -> Call:
    explain = Gradcam(_model(work, given, logits=False), model_modifier=ReplaceToLinear(), clone=True)
    score, photos = CategoricalScore(given.classes(work)), given.photos(work.model, work.images)
    return lambda: explain(score, photos, penultimate_layer=LAYERS[work.model], seek_penultimate_conv_layer=False)


@offers("smooth_grad", _VIS)
def vis_smooth_grad(work: PeerWork, given: Given) -> Call:
    explain = Saliency(_model(work, given, logits=False), model_modifier=ReplaceToLinear(), clone=True)
    score, photos = CategoricalScore(given.classes(work)), given.photos(work.model, 1)
    return lambda: explain(score, photos, smooth_samples=work.amount)


@offers("score_cam", _VIS)
def vis_score_cam(work: PeerWork, given: Given) -> Call:
    explain = Scorecam(_model(work, given, logits=False))
    score, photos = CategoricalScore(given.classes(work)), given.photos(work.model, 1)
    return lambda: explain(score, photos, penultimate_layer=SCORE_CAM_LAYER, seek_penultimate_conv_layer=False, batch_size=_BATCH)


@offers("filters", _VIS)
def vis_filters(work: PeerWork, given: Given) -> Call:
    modifiers = [ExtractIntermediateLayer(FILTERS_LAYER), ReplaceToLinear()]
    explain = ActivationMaximization(_headless(given), model_modifier=modifiers, clone=True)
    score = CategoricalScore(list(range(work.images)))

    def call() -> object:
        start = tf.random.uniform((work.images, FILTERS_SIDE, FILTERS_SIDE, 3), 0, 255)
        return explain(score, seed_input=start, steps=work.amount)

    return call


@offers("grad_cam", _EXPLAIN)
@offers("eight_jobs", _EXPLAIN)
def explain_grad_cam(work: PeerWork, given: Given) -> Call:
    model, explainer = _model(work, given, logits=False), ExplainGradCam()
    pairs = list(zip(given.photos(work.model, work.images), given.classes(work), strict=True))
    layer = LAYERS[work.model]

    def call() -> object:
        return [explainer.explain((photo[None], None), model, index, layer_name=layer, use_guided_grads=False) for photo, index in pairs]

    return call


def _explain(explainer: Callable[[], Any], **options: str) -> Setup:
    """Return the set-up of a tf-explain method for one photo. `options` are the names under which it takes the work's amount."""

    def setup(work: PeerWork, given: Given) -> Call:
        model, photos, (index,) = _model(work, given, logits=False), given.photos(work.model, 1), given.classes(work)
        method, amounts = explainer(), dict.fromkeys(options.values(), work.amount)
        return lambda: method.explain((photos, None), model, index, **amounts)

    return setup


offers("integrated_gradients", _EXPLAIN)(_explain(ExplainIntegratedGradients, amount="n_steps"))
offers("smooth_grad", _EXPLAIN)(_explain(ExplainSmoothGrad, amount="num_samples"))


@offers("occlusion", _EXPLAIN)
def explain_occlusion(work: PeerWork, given: Given) -> Call:
    model, photos, (index,) = _model(work, given, logits=False), given.photos(work.model, 1), given.classes(work)
    return lambda: OcclusionSensitivity(batch_size=_BATCH).explain((photos, None), model, index, _WINDOW)


@offers("activations_png", _EXPLAIN)
def explain_activations(work: PeerWork, given: Given) -> Call:
    model, photos = _model(work, given, logits=False), given.photos(work.model, 1)
    explainer, folder = ExtractActivations(), tempfile.mkdtemp(dir=given.folder)
    return lambda: explainer.save(explainer.explain((photos, None), model, [ACTIVATIONS_LAYER]), folder, "grid.png")


def _xplique(explainer: Callable[[PeerWork, tf_keras.Model], Any]) -> Setup:
    """Return the set-up of an Xplique method."""

    def setup(work: PeerWork, given: Given) -> Call:
        model, photos = _model(work, given, logits=True), given.photos(work.model, work.images)
        targets = np.eye(model.output_shape[-1], dtype=np.float32)[given.classes(work)]
        method = explainer(work, model)
        return lambda: np.asarray(method.explain(photos, targets))

    return setup


for _kind in ("grad_cam", "eight_jobs"):
    offers(_kind, _XPLIQUE)(_xplique(lambda work, model: xplique.GradCAM(model, conv_layer=LAYERS[work.model])))
offers("integrated_gradients", _XPLIQUE)(_xplique(lambda work, model: xplique.IntegratedGradients(model, steps=work.amount)))
offers("smooth_grad", _XPLIQUE)(_xplique(lambda work, model: xplique.SmoothGrad(model, nb_samples=work.amount)))
offers("rise", _XPLIQUE)(_xplique(lambda work, model: xplique.Rise(model, nb_samples=work.amount)))
offers("occlusion", _XPLIQUE)(_xplique(lambda _work, model: xplique.Occlusion(model, patch_size=_WINDOW, patch_stride=_WINDOW)))


@offers("filters", _XPLIQUE)
def xplique_filters(work: PeerWork, given: Given) -> Call:
    """Its own Fourier parametrisation and transforms, all channels in one call. It wants a model whose input has a fixed size."""
    objective = Objective.channel(_headless(given, FILTERS_SIDE), FILTERS_LAYER, list(range(work.images)))
    return lambda: optimize(objective, nb_steps=work.amount, custom_shape=(FILTERS_SIDE, FILTERS_SIDE))
