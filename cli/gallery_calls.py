"""List the calls that the gallery makes: the figures of the sources, and one call of every method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from pydantic import JsonValue

from cli.gallery_models import PRUNED, SMALL_VIT
from cli.gallery_photos import OTHER_PHOTOS
from schemas.methods import METHODS, family_of
from schemas.methods.evaluation.measures import MeasureName
from schemas.methods.inspection.sandbox import SANDBOX_PRESETS

BUILT_IN = "efficientnet_lite0"
MIDDLE = "block8_expand_conv"
CLASSES: list[JsonValue] = [285, 1, 340, 980]
CHANNELS: list[JsonValue] = [0, 5, 100, 700]


@dataclass(frozen=True)
class GalleryCall:
    """A call of a method, with a caption for its picture.

    If the source uses another model than the built-in one, `source_model` names it, and `source_params` are the parameters that
    change for it. That model is used if its weights can be loaded. `artifact` names the artifact to show; None means the primary one.
    `photo` names the file of another photo than the first, and `model` is the model without a `source_model`.
    """

    caption: str
    method: str
    params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    source_model: str | None = None
    source_params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    artifact: str | None = None
    photo: str | None = None
    model: str = BUILT_IN


@dataclass(frozen=True)
class GallerySource:
    """A book, a notebook or an article, and the calls that make its figures."""

    title: str
    reference: str
    calls: tuple[GalleryCall, ...]


def _vgg16(
    caption: str, method: str, params: Mapping[str, JsonValue], source_params: Mapping[str, JsonValue], artifact: str | None = None
) -> GalleryCall:
    return GalleryCall(caption, method, params, "vgg16", source_params, artifact)


SOURCES: tuple[GallerySource, ...] = (
    GallerySource(
        "The cat article",
        "E. Reppel, Visualizing parts of Convolutional Neural Networks using Keras and Cats, 2017",
        tuple(GalleryCall(f"`{preset}`", "sandbox", {"preset": preset}) for preset in SANDBOX_PRESETS),
    ),
    GallerySource(
        "Deep Learning with Python, first edition",
        "F. Chollet, Manning 2017, section 5.4",
        (
            GalleryCall("5.4.1: every channel of the first convolution", "activations", {"layer": "stem_conv", "columns": 16}),
            GalleryCall(
                "5.4.1: a deeper layer, whose activations are sparser", "activations", {"layer": "head_relu", "channels": 64, "columns": 16}
            ),
            _vgg16(
                "5.4.2: one filter alone, 150 × 150",
                "filters",
                {"preset": "dlwp1", "layer": "block5_expand_conv", "channels": [48]},  # a channel that shows structure
                {"layer": "block3_conv1", "channels": [0]},
            ),
            _vgg16(
                "5.4.2: the first 64 filters of a layer",
                "filters",
                {"preset": "dlwp1", "layer": "block5_expand_conv"},
                {"layer": "block2_conv1"},
            ),
            _vgg16("5.4.3: class activation", "grad_cam", {"preset": "dlwp1"}, {"layer": "block5_conv3"}),
        ),
    ),
    GallerySource(
        "Deep Learning with Python, second edition",
        "F. Chollet, Manning 2021, section 9.4",
        (
            GalleryCall(
                "9.4.2: filters, with the margin of the map left out",
                "filters",
                {"preset": "dlwp2", "layer": "block5_expand_conv"},
                "xception",
                {"layer": "block3_sepconv1"},
            ),
            GalleryCall("9.4.3: class activation", "grad_cam", {"preset": "keras_io"}, "xception", {"layer": "block14_sepconv2_act"}),
        ),
    ),
    GallerySource(
        "How convolutional neural networks see the world",
        "F. Chollet, The Keras Blog, 2016",
        (
            _vgg16(
                "The best 64 of the first 200 filters",
                "filters",
                {"preset": "keras_blog", "layer": "block6_expand_conv"},
                {"layer": "block4_conv1"},
            ),
            GalleryCall("The class magpie, as the network sees it", "filters", {"class_index": 18, "size": 224}),
        ),
    ),
    GallerySource(
        "keras.io, code examples",
        "Visualizing what convnets learn; Grad-CAM class activation visualization; Deep Dream",
        (
            GalleryCall(
                "Visualizing what convnets learn",
                "filters",
                {"preset": "keras_io", "layer": "block5_expand_conv"},
                "resnet50_v2",
                {"layer": "conv3_block4_out"},
            ),
            GalleryCall("Grad-CAM class activation visualization", "grad_cam", {"preset": "keras_io"}, "xception", {}),
            GalleryCall("Deep Dream", "deep_dream", {"octaves": 3, "steps": 20}, "inception_v3", {}),
        ),
    ),
    GallerySource(
        "Caffe notebook: Instant Recognition with Caffe",
        "BVLC, 00-classification.ipynb, 2014",
        (
            GalleryCall("The top five", "predict", {"top": 5}),
            GalleryCall("Kernels of the first layer", "weights", {"layer": "stem_conv"}),
            GalleryCall("Kernels of the next layer", "weights", {"layer": "block1_expand_conv"}),
            GalleryCall("The first 36 channels of the first layer", "activations", {"layer": "stem_conv", "channels": 36, "columns": 6}),
            GalleryCall("A pooling layer, with a histogram of its positive values", "activations", {"layer": "avg_pool"}),
        ),
    ),
    GallerySource(
        "Stack Overflow: weights and activations",
        "How can I visualize the weights of convolutional layers in Keras?; Keras: how to output the activations of a layer",
        (
            GalleryCall("A layer's weights", "weights", {"layer": "stem_conv"}, artifact="histogram"),
            GalleryCall("A layer's activations", "activations", {"layer": "block2_add"}),
        ),
    ),
    GallerySource(
        "plot_model",
        "keras.utils.plot_model, keras.io/api/utils/model_plotting_utils",
        (GalleryCall("A part of the graph", "architecture", {"first_layer": "block2_expand_conv", "last_layer": "block2_add"}),),
    ),
    GallerySource(
        "Visualizing and Understanding Convolutional Networks",
        "Zeiler and Fergus, arXiv:1311.2901",
        (
            GalleryCall(
                "The strongest positions of six channels, projected back to the input",
                "deconvnet",
                {"layer": "block8_project_bn", "channels": 6},
            ),
            GalleryCall(
                "The same with guided backpropagation (Springenberg et al.), which keeps the photo visible",
                "deconvnet",
                {"layer": "block8_project_bn", "channels": 6, "rule": "guided"},
            ),
        ),
    ),
    GallerySource(
        "Unlocking Feature Visualization for Deeper Networks with Magnitude Constrained Optimization",
        "Fel et al., arXiv:2306.06805",
        (
            GalleryCall(
                "Egyptian cat, goldfish, zebra, volcano: magnitudes and phases move", "filters", {"class_index": CLASSES, "columns": 4}
            ),
            GalleryCall("The same: only the phases move", "filters", {"preset": "maco", "class_index": CLASSES, "columns": 4}),
            GalleryCall(
                "Channels of the last convolution: magnitudes and phases move",
                "filters",
                {"layer": "head_relu", "channels": CHANNELS, "columns": 4},
            ),
            GalleryCall(
                "The same: only the phases move", "filters", {"preset": "maco", "layer": "head_relu", "channels": CHANNELS, "columns": 4}
            ),
        ),
    ),
)

# These parameters replace a method's own example, which is chosen to be quick, not to look good.
_GOOD_PARAMS: Mapping[str, Mapping[str, JsonValue]] = {
    "ablation_cam": {"class_index": 285},
    "activation_atlas": {"layer": "head_relu", "columns": 8, "size": 96, "steps": 160},
    "activations": {"layer": "block2_expand_relu", "channels": 32, "order": "max", "columns": 8},
    "architecture": {"first_layer": "block2_expand_conv", "last_layer": "block2_add"},
    "blur_ig": {},
    "compare": {"layer": "block10_add"},
    "compare_models": {"models": [PRUNED], "attribution": "layer_cam", "options": {"layer": "block10_add"}},
    "embedding": {"thumbnail": 110},
    "mean_map": {"attribution": "layer_cam", "options": {"layer": "block10_add"}},
    "nearest": {},
    "adversarial": {"options": {"layer": "block10_add"}, "attribution": "layer_cam"},
    "intervene": {"layer": "block7_add", "action": "mean", "channels": None, "box": [80, 90, 160, 130], "later": "block10_add"},
    "craft": {"layer": "head_relu", "concepts": 6, "class_index": 285},
    "deconvnet": {"layer": "block8_project_bn", "channels": 6, "rule": "guided"},
    "dff": {"layer": "head_relu", "parts": 5},
    "faithfulness": {"attribution": "grad_cam", "randomisations": 3},
    "feature_inversion": {"layer": ["block2_add", "block7_add", "block10_add"]},
    "filter_atlas": {"layer": "block3_expand_conv", "size": 64, "steps": 64, "columns": 18},
    "filters": {"layer": MIDDLE, "channels": 8, "columns": 4},
    "gradient_shap": {},
    "guided_ig": {},
    "hires_cam": {"layer": "block10_add"},
    "hsic": {},
    "integrated_gradients": {},
    "kernel_shap": {"samples": 1000},
    "kpca_cam": {"kernel": "cosine"},
    "lime": {"samples": 1000},
    "lrp": {"composite": "epsilon_gamma_box"},
    # The box is around the cup of `coffee.jpg`.
    "map_measures": {"attribution": "grad_cam", "measures": [*get_args(MeasureName)], "region": {"box": [60, 160, 300, 330]}},
    "partition_shap": {"samples": 1000},
    "rank_methods": {
        "methods": ["grad_cam", "layer_cam", "eigen_cam", "saliency", "integrated_gradients"],
        "measures": ["deletion", "insertion", "infidelity"],
    },
    "rise": {"masks": 1000},
    "sandbox": {"preset": "relu_max_pool_5x5"},
    "score_cam": {"max_channels": 256},
    "smooth_grad": {"samples": 50},
    "sobol": {"designs": 64},
    "tcav": {"layer": "block14_add", "class_index": 285, "pool": "mean"},
    "top_patches": {"layer": "block3_project_bn", "channels": 6, "count": 8, "per_image": 8},
    "weights": {"layer": "stem_conv"},
    "xgrad_cam": {"layer": "block10_add"},
    "xrai": {},
}
_TWO_OBJECTS: Mapping[str, JsonValue] = {"class_index": [285, 967]}  # the cat and the espresso of `cat_and_coffee.jpg`
_TWO_THINGS: Mapping[str, JsonValue] = {"class_index": ["cat", "coffee"]}  # the same for `SMALL_VIT`


def method_calls() -> Iterator[GalleryCall]:
    """Yield one call of each method that shows it well."""
    for name, params in METHODS.items():
        photo, good = OTHER_PHOTOS.get(name), _GOOD_PARAMS.get(name, params.card.example)
        if family_of(name) == "attention":
            good = {**good, **_TWO_THINGS} if "class_index" in params.model_fields else good
            yield GalleryCall(params.card.title, name, good, photo="cat_and_coffee.jpg", model=SMALL_VIT)
        else:
            yield GalleryCall(params.card.title, name, {**good, **(_TWO_OBJECTS if photo == "cat_and_coffee.jpg" else {})}, photo=photo)
