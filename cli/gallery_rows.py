"""What the gallery shows: the sources' figures, and one call of every method. A row is a call and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from schemas.methods import METHODS
from schemas.methods.inspection.sandbox import SANDBOX_PRESETS

BUILT_IN = "efficientnet_lite0"
MIDDLE = "block8_expand_conv"
CLASSES: list[JsonValue] = [285, 1, 340, 980]
CHANNELS: list[JsonValue] = [0, 5, 100, 700]


@dataclass(frozen=True)
class Row:
    """A call. Where the source looks into another model than the built-in one, `source_model` names it and `source_params` is
    what changes for it; it is used where its weights are at hand."""

    caption: str
    method: str
    params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    source_model: str | None = None
    source_params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    artifact: str | None = None  # the primary one unless named


@dataclass(frozen=True)
class Source:
    """A book, a notebook, an article, and its figures."""

    title: str
    reference: str
    rows: tuple[Row, ...]


def _vgg16(
    caption: str, method: str, params: Mapping[str, JsonValue], source_params: Mapping[str, JsonValue], artifact: str | None = None
) -> Row:
    return Row(caption, method, params, "vgg16", source_params, artifact)


SOURCES: tuple[Source, ...] = (
    Source(
        "The cat article",
        "E. Reppel, Visualizing parts of Convolutional Neural Networks using Keras and Cats, 2017",
        tuple(Row(f"`{preset}`", "sandbox", {"preset": preset}) for preset in SANDBOX_PRESETS),
    ),
    Source(
        "Deep Learning with Python, first edition",
        "F. Chollet, Manning 2017, section 5.4",
        (
            Row("5.4.1: every channel of the first convolution", "activations", {"layer": "stem_conv", "columns": 16}),
            Row("5.4.1: deeper, sparser", "activations", {"layer": "head_relu", "channels": 64, "columns": 16}),
            _vgg16(
                "5.4.2: one filter alone, 150 × 150",
                "filters",
                {"preset": "dlwp1", "layer": "block2_expand_conv", "channels": [0]},
                {"layer": "block3_conv1"},
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
    Source(
        "Deep Learning with Python, second edition",
        "F. Chollet, Manning 2021, section 9.4",
        (
            Row(
                "9.4.2: filters, with the margin of the map left out",
                "filters",
                {"preset": "dlwp2", "layer": "block5_expand_conv"},
                "xception",
                {"layer": "block3_sepconv1"},
            ),
            Row("9.4.3: class activation", "grad_cam", {"preset": "keras_io"}, "xception", {"layer": "block14_sepconv2_act"}),
        ),
    ),
    Source(
        "How convolutional neural networks see the world",
        "F. Chollet, The Keras Blog, 2016",
        (
            _vgg16("The best 64 of the first 200 filters", "filters", {"preset": "keras_blog", "layer": MIDDLE}, {"layer": "block4_conv1"}),
            Row("What the class magpie is to the net", "filters", {"class_index": 18, "size": 224}),
        ),
    ),
    Source(
        "keras.io, code examples",
        "Visualizing what convnets learn; Grad-CAM class activation visualization; Deep Dream",
        (
            Row(
                "Visualizing what convnets learn",
                "filters",
                {"preset": "keras_io", "layer": "block5_expand_conv"},
                "resnet50_v2",
                {"layer": "conv3_block4_out"},
            ),
            Row("Grad-CAM class activation visualization", "grad_cam", {"preset": "keras_io"}, "xception", {}),
            Row("Deep Dream", "deep_dream", {"octaves": 3, "steps": 20}, "inception_v3", {}),
        ),
    ),
    Source(
        "Caffe notebook: Instant Recognition with Caffe",
        "BVLC, 00-classification.ipynb, 2014",
        (
            Row("The top five", "predict", {"top": 5}),
            Row("Kernels of the first layer", "weights", {"layer": "stem_conv"}),
            Row("Kernels of the next", "weights", {"layer": "block1_expand_conv"}),
            Row("The first 36 channels of the first layer", "activations", {"layer": "stem_conv", "channels": 36, "columns": 6}),
            Row("A pooled layer, with the histogram of its positive values", "activations", {"layer": "avg_pool"}),
        ),
    ),
    Source(
        "Stack Overflow: weights and activations",
        "How can I visualize the weights of convolutional layers in Keras?; Keras: how to output the activations of a layer",
        (
            Row("A layer's weights", "weights", {"layer": "stem_conv"}, artifact="histogram"),
            Row("A layer's activations", "activations", {"layer": "block2_add"}),
        ),
    ),
    Source(
        "plot_model",
        "keras.utils.plot_model, keras.io/api/utils/model_plotting_utils",
        (Row("A stretch of the graph", "architecture", {"first_layer": "block2_expand_conv", "last_layer": "block2_add"}),),
    ),
    Source(
        "Visualizing and Understanding Convolutional Networks",
        "Zeiler and Fergus, arXiv:1311.2901",
        (
            Row("The strongest positions of six channels, sent back", "deconvnet", {"layer": "block8_project_bn", "channels": 6}),
            Row(
                "The same, with the photo kept in view by guided backpropagation (Springenberg et al.)",
                "deconvnet",
                {"layer": "block8_project_bn", "channels": 6, "rule": "guided"},
            ),
        ),
    ),
    Source(
        "Unlocking Feature Visualization for Deeper Networks with Magnitude Constrained Optimization",
        "Fel et al., arXiv:2306.06805",
        (
            Row("Egyptian cat, goldfish, zebra, volcano: all of a spectrum moved", "filters", {"class_index": CLASSES, "columns": 4}),
            Row("Its phases alone", "filters", {"preset": "maco", "class_index": CLASSES, "columns": 4}),
            Row(
                "Channels of the last convolution: all of a spectrum moved",
                "filters",
                {"layer": "head_relu", "channels": CHANNELS, "columns": 4},
            ),
            Row("Its phases alone", "filters", {"preset": "maco", "layer": "head_relu", "channels": CHANNELS, "columns": 4}),
        ),
    ),
)

# Where a method's own example is made to be quick, not to be looked at.
_SHOWN: Mapping[str, Mapping[str, JsonValue]] = {
    "ablation_cam": {"class_index": 285},
    "activations": {"layer": "block2_expand_conv", "channels": 32, "order": "mean", "columns": 8},
    "architecture": {"first_layer": "block2_expand_conv", "last_layer": "block2_add"},
    "compare": {},
    "deconvnet": {"layer": "block8_project_bn", "channels": 6, "rule": "guided"},
    "faithfulness": {"attribution": "grad_cam", "randomisations": 3},
    "feature_inversion": {"layer": ["block2_add", "block7_add", "block10_add"]},
    "filter_atlas": {"layer": "block3_expand_conv", "size": 64, "steps": 64, "columns": 18},
    "filters": {"layer": MIDDLE, "channels": 8, "columns": 4},
    "integrated_gradients": {"steps": 50},
    "rise": {"masks": 1000},
    "sandbox": {"preset": "relu_max_pool_5x5"},
    "score_cam": {"max_channels": 256},
    "smooth_grad": {"samples": 50},
    "top_patches": {"layer": "block3_project_bn", "channels": 6, "count": 8, "per_image": 8},
    "weights": {"layer": "stem_conv"},
}


def method_rows() -> Iterator[Row]:
    """A call of each method that shows it well."""
    for name, params in METHODS.items():
        yield Row(params.card.title, name, _SHOWN.get(name, params.card.example))
