"""The methods of the service as methods of a client. This file is written by `make settings`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from convscope.image_input import ImageInput
from convscope.result import Result
from convscope.service_default import DEFAULT, given_arguments

# fmt: off


class Methods(ABC):
    """One method for each method of the service. An argument that is left out has the service's default."""

    @abstractmethod
    def _run_method(self, method: str, arguments: dict[str, Any]) -> Result:
        """Run a method with the arguments that the caller gave."""

    def ablation_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, max_channels: int | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal",
        "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This heatmap weighs each channel by the part of the class's score that is lost when the channel is set to zero.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            max_channels: This many channels of each layer are tried, those whose values vary most; the others have the weight 0.
        """
        return self._run_method("ablation_cam", given_arguments(locals()))

    def activation_atlas(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, precision:
        Literal["float32", "bfloat16"] = DEFAULT, preset: Literal["lucid", "maco", "dlwp1", "dlwp2", "keras_blog", "keras_io"] = DEFAULT,
        parametrisation: Literal["pixel", "fourier", "phase"] | None = DEFAULT, size: int | Sequence[int] | None = DEFAULT, steps: int |
        None = DEFAULT, learning_rate: float | None = DEFAULT, transforms: Mapping[str, Any] | None = DEFAULT, regularisers: Mapping[str,
        Any] | None = DEFAULT, columns: int | None = DEFAULT, seed: int = DEFAULT, layer: str | None = DEFAULT, min_activations: int | None
        = DEFAULT, per_image: int | None = DEFAULT, power: float = DEFAULT, whiten: bool = DEFAULT, annotate: bool = DEFAULT, model_inputs:
        Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None =
        None
    ) -> Result:
        """This shows what a layer sees in a set of photos, on one map. Like activations lie near each other, and each cell of the
            map is an image that feature visualisation makes for the mean activation there.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            preset: The preset gives a value to each parameter below that is null. By default "lucid".
            parametrisation: This says what ascent changes: the pixels (`pixel`), a spectrum with decorrelated colours (`fourier`),
                or the phases of a spectrum whose magnitudes are those of photos (`phase`).
            size: This is the side of a square image in pixels, or the image's (height, width).
            steps: This is the number of steps of gradient ascent.
            learning_rate: This is the factor of a step.
            transforms: These are random changes of the image before each step.
            regularisers: These are penalties and a blur that keep the image smooth.
            columns: The grid has so many columns and as many rows.
            seed: This is the seed of the start and of the transforms. By default 0.
            layer: This is the path of the layer.
            min_activations: A cell with fewer activations stays empty.
            per_image: So many positions of each photo are taken at random, or all if its map has no more.
            power: This is the exponent of the cosine. By default 2.
            whiten: If it is true, the direction is the mean activation divided by the correlations of all channels, so that what
                all activations have in common counts less. By default False.
            annotate: If it is true, the pictures have a title, the classes of the cells, and a scale. By default True.
        """
        return self._run_method("activation_atlas", given_arguments(locals()))

    def activations(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, layer: str | Sequence[str] | None =
        DEFAULT, kind: Mapping[str, Any] | None = DEFAULT, channels: int | Sequence[int] | None = DEFAULT, order: Literal["index", "mean",
        "max"] = DEFAULT, scaling: Literal["from_zero", "per_channel", "global"] | None = DEFAULT, colormap: Literal["jet", "viridis",
        "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, annotate: bool = DEFAULT, columns: int | None = DEFAULT,
        model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout:
        float | None = None
    ) -> Result:
        """This method shows a layer's output for the photo: every channel in a grid, the array, and a ranking of the channels.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            layer: This is the path of a layer, or a list of paths.
            kind: All layers of this kind are used, in the model's order.
            channels: These are the channels to draw: a number n for the first n in `order` (or all, if the layer has fewer), or a
                list of indices.
            order: This is the order of the drawn channels: by index or as listed (`index`), or the highest mean or maximum first.
                By default "index".
            scaling: `from_zero` draws 0 in the lowest colour and each channel's largest value in the highest one.
            colormap: This is the colormap of the tiles. By default "viridis".
            annotate: If it is true, the picture has a title with the method, the model and the layer, each tile of 40 pixels or
                more carries the number of its channel, and a line below the tiles says what their colours mean. By default True.
            columns: This is the number of tiles in a row.
        """
        return self._run_method("activations", given_arguments(locals()))

    def adversarial(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, attack: Literal["fgsm", "pgd"] = DEFAULT, norm: Literal["linf", "l2"] = DEFAULT, epsilon:
        float = DEFAULT, target_class: int | str | None = DEFAULT, smallest: bool = DEFAULT, steps: int = DEFAULT, step_size: float | None =
        DEFAULT, random_start: bool = DEFAULT, seed: int = DEFAULT, top: int = DEFAULT, attribution: str = DEFAULT, options: Mapping[str,
        Any] | None = DEFAULT, annotate: bool = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal",
        "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This changes the photo so little that a person hardly sees it, and so that the model's answer changes. It shows the
            change, the answers, and where the model looks before and after.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            attack: `fgsm` takes one step along the gradient. By default "fgsm".
            norm: `linf` bounds the change of each value, `l2` the Euclidean length of the whole change. By default "linf".
            epsilon: The change is at most this large, in units of the photo's 0-255: the change of each value for `linf`, and the
                Euclidean length for `l2`, where a photo of 224 × 224 needs some hundreds. By default 8.0.
            target_class: The changed photo should have this class, an index or a label, as its top class.
            smallest: If it is true, `fgsm` looks for the smallest change that flips the answer, up to `epsilon`, and shows it. By
                default True.
            steps: `pgd` takes this many steps. By default 20.
            step_size: Each step of `pgd` is this long, in the units of `epsilon`.
            random_start: If it is true, `pgd` starts at a random place within `epsilon` of the photo. By default False.
            seed: This is the seed of the random start. By default 0.
            top: The facts list this many classes, and the picture the scores of up to 5. By default 5.
            attribution: The heat is made by this method. By default "grad_cam".
            options: These are the parameters of that method, as /v1/methods describes them.
            annotate: If it is true, the scale of its colours stands beside each heat, and the scores before and after between the
                heats. By default True.
        """
        return self._run_method("adversarial", given_arguments(locals()))

    def architecture(
        self, *, model: str, direction: Literal["TB", "BT", "LR", "RL"] = DEFAULT, shapes: bool = DEFAULT, dtypes: bool = DEFAULT,
        activations: bool = DEFAULT, parameters: bool = DEFAULT, columns: int | None = DEFAULT, annotate: bool = DEFAULT, unfold: bool =
        DEFAULT, first_layer: str | None = DEFAULT, last_layer: str | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None,
        priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method draws the model's graph with shapes, types, parameters and activations, as PNG and SVG, and writes it as DOT
            and JSON.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            direction: This is the direction of the graph: top to bottom (TB), bottom to top (BT), left to right (LR) or right to
                left (RL). By default "TB".
            shapes: If it is true, the shapes of a layer's inputs and output are shown. By default True.
            dtypes: If it is true, the dtype of a layer's output is shown. By default True.
            activations: If it is true, a layer's activation function is shown, unless it is `linear`. By default True.
            parameters: If it is true, the number of a layer's parameters is shown. By default True.
            columns: This is the number of columns into which a long graph is divided (of rows, if the direction is LR or RL).
            annotate: If it is true, the picture has a title, and a legend of the colours of the boxes. By default True.
            unfold: If it is true, nested models are frames around their layers. By default True.
            first_layer: The graph begins with this layer, in the model's order.
            last_layer: The graph ends with this layer, in the model's order.
        """
        return self._run_method("architecture", given_arguments(locals()))

    def attention_maps(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, colormap: Literal["jet", "viridis",
        "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, alpha: float = DEFAULT, layer: str | None = DEFAULT, heads:
        Literal["mean"] | Sequence[int] | None = DEFAULT, query: Literal["class_token", "mean"] | Sequence[float] | None = DEFAULT,
        model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout:
        float | None = None
    ) -> Result:
        """Each head of an attention layer has a map: the weight that the class token, or a place of the photo, gives to every other
            place when it gathers what it needs. This is for vision transformers.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            layer: This is the path of the attention layer.
            heads: These heads are drawn.
            query: This token attends: the `class_token`, a point (y, x) in pixels of the photo, or the `mean` over the tokens of
                the picture.
        """
        return self._run_method("attention_maps", given_arguments(locals()))

    def attention_rollout(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, colormap: Literal["jet", "viridis",
        "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, alpha: float = DEFAULT, output: str | None = DEFAULT, layers:
        Sequence[str] | None = DEFAULT, query: Literal["class_token", "mean"] | None = DEFAULT, frames: int | None = DEFAULT, head_fusion:
        Literal["mean", "max", "min"] = DEFAULT, discard_ratio: float = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The attention of all layers of a vision transformer is multiplied, so that the map shows from which places of the photo
            the class token got its content, over all layers. It explains no class. The facts name the top class.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            output: This is the name of the model's output that is explained.
            layers: These are the paths of the attention layers that are followed.
            query: The map shows what this token depends on: the `class_token`, or the `mean` over the tokens of the picture.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            head_fusion: The heads of a layer become one by their `mean`, `max` or `min`, for each pair of tokens. By default
                "mean".
            discard_ratio: This share (0-1) of the weights of each layer, the lowest ones, is set to 0 before the layers are
                multiplied. By default 0.
        """
        return self._run_method("attention_rollout", given_arguments(locals()))

    def blur_ig(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, steps: int =
        DEFAULT, max_sigma: float | None = DEFAULT, rule: Literal["midpoint", "left"] = DEFAULT, model_inputs: Mapping[str, Any] | None =
        None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The image becomes sharp step by step, and each pixel gets its share in what the class's score gains. There is no baseline
            colour, so dark and bright objects are treated alike. Red speaks for the class, blue against it.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
            steps: This is the number of steps from the blurred image to the sharp one. By default 100.
            max_sigma: This is the σ of the strongest blur, in pixels of the model's input.
            rule: `midpoint` takes shorter steps where the image is nearly sharp, and the gradient in the middle of each step, so
                that the values add up better. By default "midpoint".
        """
        return self._run_method("blur_ig", given_arguments(locals()))

    def chefer(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, colormap: Literal["jet", "viridis",
        "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, alpha: float = DEFAULT, output: str | None = DEFAULT, layers:
        Sequence[str] | None = DEFAULT, query: Literal["class_token", "mean"] | None = DEFAULT, target: Mapping[str, Any] | int | str |
        Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT,
        frames: int | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT,
        fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The attention of each head is multiplied by the gradient of the class's score, and what raises the score is added up over
            all layers of a vision transformer. The map shows which places are relevant for this class.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            output: This is the name of the model's output that is explained.
            layers: These are the paths of the attention layers that are followed.
            query: The map shows what this token depends on: the `class_token`, or the `mean` over the tokens of the picture.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("chefer", given_arguments(locals()))

    def compare(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, max_channels: int | None = DEFAULT, methods: Sequence[Literal["grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam",
        "xgrad_cam", "element_wise_cam", "eigen_cam", "kpca_cam", "fem", "score_cam", "ablation_cam"]] = DEFAULT, model_inputs: Mapping[str,
        Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """One sheet shows the overlays of several class activation maps, all for the same image, class, layer and options.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            max_channels: `score_cam` and `ablation_cam` try this many channels of each layer, those whose values vary most. By
                default 256.
            methods: These methods are compared, in this order. By default ['grad_cam', 'grad_cam_plus_plus', 'layer_cam',
                'hires_cam', 'xgrad_cam', 'eigen_cam'].
        """
        return self._run_method("compare", given_arguments(locals()))

    def compare_models(
        self, *, model: str, images: Iterable[ImageInput], models: Sequence[str], fit: Literal["stretch", "crop", "letterbox"] | None =
        DEFAULT, names: Mapping[str, Any] | None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, attribution: str = DEFAULT,
        options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = DEFAULT, class_index: int | str | None = DEFAULT, explain:
        Literal["same", "own"] = DEFAULT, annotate: bool = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high",
        "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This shows where two or more models look in the same photos: the maps of one attribution method side by side, the rank
            correlation of the maps, and how often the models give the same answer.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            names: These are names for images, by their ids, which the picture shows.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            models: These are the names of the further models, which are compared with the `model` of the request.
            attribution: The maps of this method are compared. By default "grad_cam".
            options: These are the parameters of that method, as /v1/methods describes them: an object for all models, or a list
                with an object for each model, the model of the request first.
            class_index: This is the class to explain: a class index or a label of the model of the request.
            explain: If it is `same`, all maps of a photo explain the same class. By default "same".
            annotate: If it is true, the sheet has a title, beside each map the scale of its colours, and below the photos a chart
                of the rank correlations. By default True.
        """
        return self._run_method("compare_models", given_arguments(locals()))

    def craft(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, names:
        Mapping[str, Any] | None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, layer: str | None = DEFAULT, class_index:
        int | str | None = DEFAULT, concepts: int = DEFAULT, crop: float = DEFAULT, examples: int = DEFAULT, designs: Literal[4, 8, 16, 32,
        64, 128, 256] = DEFAULT, seed: int = DEFAULT, max_iterations: int = DEFAULT, annotate: bool = DEFAULT, model_inputs: Mapping[str,
        Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This finds the concepts in photos of a class: what many crops of them have in common in a layer. Each concept has example
            crops, a map on each photo, and its importance for the class.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            names: These are names for images, by their ids, which the picture shows.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            layer: This is the path of the target layer.
            class_index: This is the class whose concepts are found: a class index or a label.
            concepts: This is the number of concepts. By default 8.
            crop: This is the side of the square crops, as a share of the shorter side of the model's input. By default 0.3.
            examples: This is the number of crops that each concept shows. By default 6.
            designs: This is the number of random weakenings for each concept and photo. By default 16.
            seed: This is the seed of the random weakenings. By default 0.
            max_iterations: The factorization stops after so many iterations at the latest. By default 200.
            annotate: If it is true, the picture has a title. By default True.
        """
        return self._run_method("craft", given_arguments(locals()))

    def deconvnet(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, layer: str | None = DEFAULT, channels: int | Sequence[int] = DEFAULT, keep: Literal["neuron",
        "map"] = DEFAULT, position: Sequence[int] | None = DEFAULT, rule: Literal["deconv", "guided", "gradient"] = DEFAULT, model_inputs:
        Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None =
        None
    ) -> Result:
        """This shows the pattern in the image to which a channel responds. One channel's strongest neuron, or its whole map, is
            kept, the rest of the layer is set to 0, and the result is sent back to the input. Several channels stand side by side.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            layer: This is the path of a layer with a spatial map.
            channels: This is the number of channels to show, those that respond most to this image, or a list of channel indices.
                By default 1.
            keep: This part of a channel is kept: one `neuron`, or the whole `map`. By default "neuron".
            position: The neuron at this position (y, x) of the layer is kept.
            rule: A ReLU sends values back by this rule. By default "deconv".
        """
        return self._run_method("deconvnet", given_arguments(locals()))

    def deep_dream(
        self, image: ImageInput, *, model: str, precision: Literal["float32", "bfloat16"] = DEFAULT, annotate: bool = DEFAULT, layers:
        Mapping[str, Any] | None = DEFAULT, octaves: int = DEFAULT, octave_scale: float = DEFAULT, steps: int = DEFAULT, step_size: float =
        DEFAULT, max_loss: float | None = DEFAULT, jitter: int = DEFAULT, size: int | Sequence[int] | None = DEFAULT, tile: int | None =
        DEFAULT, seed: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT,
        fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method strengthens what layers see in a photo, by gradient ascent from the photo at several scales.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            annotate: If it is true, a title with the method, the model and the layers stands above the primary picture. By default
                True.
            layers: These are the layers to excite, each with its weight in the loss.
            octaves: This is the number of scales. By default 3.
            octave_scale: This is the ratio of one scale's sides to those of the next smaller scale. By default 1.4.
            steps: This is the number of steps at each scale. By default 20.
            step_size: This is the mean change of a pixel in one step. By default 0.01.
            max_loss: A scale ends when its loss is above this number; keras.io's example uses 15.
            jitter: Before each step, the picture is shifted at random by up to this many pixels each way. By default 0.
            size: This is the largest length in pixels that the picture's longest side may have, or the picture's own (height,
                width).
            tile: At a scale with a longer side than this, the gradient is computed in tiles of at most so many pixels a side.
            seed: This is the seed of all random shifts. By default 0.
        """
        return self._run_method("deep_dream", given_arguments(locals()))

    def deep_lift(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None =
        DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, frames: int | None =
        DEFAULT, baseline: Literal["black", "white", "mean", "blurred", "random"] = DEFAULT, seed: int = DEFAULT, model_inputs: Mapping[str,
        Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The image and a baseline go through the network side by side. The difference of their scores is handed back layer by
            layer to the pixels that caused it, and all of it arrives. Red pixels speak for the class, blue ones against it.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            baseline: The image is compared with this baseline: `black`, `white`, the `mean` colour of the image, the image
                `blurred`, or `random` pixels. By default "blurred".
            seed: This is the seed of the random baseline. By default 0.
        """
        return self._run_method("deep_lift", given_arguments(locals()))

    def dff(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, names:
        Mapping[str, Any] | None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, layer: str | None = DEFAULT, parts: int =
        DEFAULT, top: int = DEFAULT, max_iterations: int = DEFAULT, tolerance: float = DEFAULT, annotate: bool = DEFAULT, model_inputs:
        Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None =
        None
    ) -> Result:
        """This divides one photo or several into parts that a layer treats alike, such as heads, bodies and backgrounds. A part has
            the same colour in all photos. If the model averages the layer before its classes, each part has the classes that it
            speaks for.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            names: These are names for images, by their ids, which the picture shows.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            layer: This is the path of the target layer.
            parts: This is the number of parts. By default 5.
            top: This is the number of classes that each part gets in the facts and the legend. By default 2.
            max_iterations: The factorization stops after so many iterations at the latest. By default 200.
            tolerance: The factorization stops when an iteration changes less than this share of what the first one has changed. By
                default 0.0001.
            annotate: If it is true, the pictures have a title. By default True.
        """
        return self._run_method("dff", given_arguments(locals()))

    def eigen_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, frames: int | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This heatmap shows what dominates a layer's activations. It needs no class and no gradient, only one forward pass. The
            facts name the top class, if the model has classes.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("eigen_cam", given_arguments(locals()))

    def element_wise_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """This heatmap adds up the evidence for a class in every channel and at every position. Evidence against the class is left
            out before the channels are added.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("element_wise_cam", given_arguments(locals()))

    def embedding(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, precision:
        Literal["float32", "bfloat16"] = DEFAULT, layer: str | None = DEFAULT, pool: Literal["mean", "max", "none"] = DEFAULT, components:
        int = DEFAULT, thumbnail: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] =
        DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This draws a set of photos as thumbnails on a plane: photos whose activations at a layer are alike lie near each other.
            The axes are the first two principal components, and say how much of the variance they explain.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            layer: This is the path of the layer.
            pool: Each photo becomes one vector: the `mean` or the `max` of each channel over the layer's positions, so that it does
                not matter where in the photo something is, or with `none` all values of the layer. By default "mean".
            components: The array has this many components, or fewer if there are not so many. By default 10.
            thumbnail: The longer side of a thumbnail has this many pixels. By default 56.
        """
        return self._run_method("embedding", given_arguments(locals()))

    def excitation_backprop(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, contrastive: bool =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """A walker starts at the class and goes down the network, always to a neuron that excites the last one, in proportion to
            how much. The heatmap shows where it arrives. If it is contrastive, a second walker starts at everything that speaks
            against the class, and its map is subtracted.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            contrastive: If it is true, the map of the negated class is subtracted, and what is below 0 becomes 0. By default True.
        """
        return self._run_method("excitation_backprop", given_arguments(locals()))

    def faithfulness(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        attribution: str = DEFAULT, options: Mapping[str, Any] | None = DEFAULT, steps: int = DEFAULT, deletion: Literal["mean", "black",
        "white", "blurred"] = DEFAULT, insertion: Literal["mean", "black", "white", "blurred"] = DEFAULT, randomisations: int = DEFAULT,
        seed: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh:
        bool = False, timeout: float | None = None
    ) -> Result:
        """This tests a map: how fast the class's score falls as the map's strongest pixels are covered, how fast it rises as they
            are shown, how much of it is left in the part that the map shows, and whether the map changes with the model's weights.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is watched: its probability as in the papers, or its logit. By default "probability".
            attribution: The map of this method is tested. By default "grad_cam".
            options: These are the parameters of that method, as /v1/methods describes them.
            steps: Each curve has this many steps: the pixels are covered or shown in as many equal parts. By default 50.
            deletion: Deleted pixels are covered with this: the `mean` colour of the image, `black`, `white`, or the image
                `blurred`. By default "mean".
            insertion: The image's pixels are inserted into this: the `mean` colour, `black`, `white`, or the image `blurred`. By
                default "blurred".
            randomisations: Weights are randomised at this many points, which are spread over the layers with a kernel. By default
                0.
            seed: This is the seed of the randomised weights, and of the order of pixels with equal values. By default 0.
        """
        return self._run_method("faithfulness", given_arguments(locals()))

    def feature_inversion(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, size: int | Sequence[int] |
        None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, annotate: bool = DEFAULT, layer: str | Sequence[str] | None =
        DEFAULT, objective: Literal["l2", "dot_cosine"] = DEFAULT, steps: int = DEFAULT, optimizer: Literal["lbfgs", "adam"] | None =
        DEFAULT, learning_rate: float = DEFAULT, total_variation: float = DEFAULT, columns: int | None = DEFAULT, seed: int = DEFAULT,
        model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout:
        float | None = None
    ) -> Result:
        """This method makes images from a layer's activation alone. They show what each layer still knows of the photo.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            size: For a model that takes any size, the photo is brought to this size in pixels: a number for a square, or (height,
                width).
            precision: The forward and the backward pass compute in this number format. By default "float32".
            annotate: If it is true, a title with the method, the model and the layers stands above the primary picture. By default
                True.
            layer: This is the path of one layer, or a list of paths.
            objective: `l2` minimises the distance of the two activations, relative to the length of the photo's. By default "l2".
            steps: This is the number of steps of gradient ascent for each layer. By default 192.
            optimizer: `lbfgs` (Liu and Nocedal, 1989) learns the curvature of the objective and needs far fewer steps.
            learning_rate: This is the learning rate of Adam, or the root mean square of the first step of L-BFGS, in units of the
                spectrum that ascent changes. By default 0.05.
            total_variation: This is the weight of the mean difference between neighbouring pixels; the distance from black to white
                is 2. By default 0.05.
            columns: This is the number of tiles in a row of the sheet.
            seed: This is the seed of the start. By default 0.
        """
        return self._run_method("feature_inversion", given_arguments(locals()))

    def fem(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, frames: int | None = DEFAULT, sigmas: float = DEFAULT, weighting: Literal["means", "activations"] =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """This heatmap shows where the channels of a layer answer unusually strongly: more than some standard deviations above
            their own mean. It needs no class and no gradient. The facts name the top class, if the model has classes.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            sigmas: A channel counts where it is more than this many standard deviations above its mean over all places. By default
                2.
            weighting: `means`: each channel adds its mean at the places where it counts, as in the paper. By default "means".
        """
        return self._run_method("fem", given_arguments(locals()))

    def filter_atlas(
        self, *, model: str, precision: Literal["float32", "bfloat16"] = DEFAULT, preset: Literal["lucid", "maco", "dlwp1", "dlwp2",
        "keras_blog", "keras_io"] = DEFAULT, parametrisation: Literal["pixel", "fourier", "phase"] | None = DEFAULT, size: int |
        Sequence[int] | None = DEFAULT, steps: int | None = DEFAULT, learning_rate: float | None = DEFAULT, transforms: Mapping[str, Any] |
        None = DEFAULT, regularisers: Mapping[str, Any] | None = DEFAULT, columns: int | None = DEFAULT, seed: int = DEFAULT, annotate: bool
        = DEFAULT, layer: str | None = DEFAULT, order: Literal["channel", "objective"] = DEFAULT, model_inputs: Mapping[str, Any] | None =
        None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method shows what every channel of a layer looks for, on one sheet. It takes over images that earlier jobs have
            made. A job that was stopped continues where it was when it is submitted again.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            preset: The preset gives a value to each parameter below that is null. By default "lucid".
            parametrisation: This says what ascent changes: the pixels (`pixel`), a spectrum with decorrelated colours (`fourier`),
                or the phases of a spectrum whose magnitudes are those of photos (`phase`).
            size: This is the side of a square image in pixels, or the image's (height, width).
            steps: This is the number of steps of gradient ascent.
            learning_rate: This is the factor of a step.
            transforms: These are random changes of the image before each step.
            regularisers: These are penalties and a blur that keep the image smooth.
            columns: This is the number of tiles in a row of the grid.
            seed: This is the seed of the start and of the transforms. By default 0.
            annotate: If it is true, a title with the method, the model, the layer and the classes stands above the tiles, and each
                tile of 40 pixels or more carries the number of its channel, or the label of its class, in a corner. By default
                True.
            layer: This is the path of the target layer, which must have channels.
            order: This is the order of the tiles: by channel index (`channel`), or the highest final objective first (`objective`).
                By default "channel".
        """
        return self._run_method("filter_atlas", given_arguments(locals()))

    def filters(
        self, *, model: str, layer: str | None = DEFAULT, channels: int | Sequence[int] | Literal["all"] | None = DEFAULT, neuron:
        Sequence[int] | None = DEFAULT, whole_layer: bool = DEFAULT, direction: Sequence[Sequence[int | float]] | None = DEFAULT,
        objectives: Sequence[Mapping[str, Any]] | None = DEFAULT, diversity: Mapping[str, Any] | None = DEFAULT, class_index: int | str |
        Sequence[int | str] | None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, preset: Literal["lucid", "maco", "dlwp1",
        "dlwp2", "keras_blog", "keras_io"] = DEFAULT, parametrisation: Literal["pixel", "fourier", "phase"] | None = DEFAULT, size: int |
        Sequence[int] | None = DEFAULT, steps: int | None = DEFAULT, learning_rate: float | None = DEFAULT, transforms: Mapping[str, Any] |
        None = DEFAULT, regularisers: Mapping[str, Any] | None = DEFAULT, columns: int | None = DEFAULT, seed: int = DEFAULT, annotate: bool
        = DEFAULT, frames: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] =
        DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method makes images that excite a layer's channels, a neuron or a class most, by gradient ascent in input space.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            layer: This is the path of the target layer.
            channels: One image is made for each channel: for the first n channels, for a list of indices, or for `all`.
            neuron: One image is made for one neuron: position (y, x, k) of the layer's map for an image of `size`.
            whole_layer: If it is true, one image is made that excites all channels: their mean of squares, as in DeepDream. By
                default False.
            direction: One image is made for a direction in the space of the layer's channels: pairs (channel, weight).
            objectives: One image is made for the weighted sum of channels, neurons and classes of any layers.
            diversity: Several different images are made of one channel; `channels` must then be a list of one.
            class_index: One image is made for each class, which raises its logit: an index, a label, or a list of them.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            preset: The preset gives a value to each parameter below that is null. By default "lucid".
            parametrisation: This says what ascent changes: the pixels (`pixel`), a spectrum with decorrelated colours (`fourier`),
                or the phases of a spectrum whose magnitudes are those of photos (`phase`).
            size: This is the side of a square image in pixels, or the image's (height, width).
            steps: This is the number of steps of gradient ascent.
            learning_rate: This is the factor of a step.
            transforms: These are random changes of the image before each step.
            regularisers: These are penalties and a blur that keep the image smooth.
            columns: This is the number of tiles in a row of the grid.
            seed: This is the seed of the start and of the transforms. By default 0.
            annotate: If it is true, a title with the method, the model, the layer and the classes stands above the tiles, and each
                tile of 40 pixels or more carries the number of its channel, or the label of its class, in a corner. By default
                True.
            frames: This is the number of frames of an animation of the images as they form, spread evenly over the steps. By
                default 0.
        """
        return self._run_method("filters", given_arguments(locals()))

    def full_grad(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None =
        DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, frames: int | None =
        DEFAULT, scaling: Literal["layer", "channel"] = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo",
        "hot", "gray"] = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT,
        fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The class's score is the sum of input · gradient over all pixels and of bias · gradient over all biases of the network.
            The map adds up how large these parts are at each place, over all layers.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            scaling: The absolute parts are scaled to 0-1 over all channels of a `layer` together, as in the authors' code, or for
                each `channel` alone, as in the package grad-cam. By default "layer".
            colormap: The map has the colours of this colormap, alone and on the image. By default "inferno".
        """
        return self._run_method("full_grad", given_arguments(locals()))

    def grad_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, preset: Literal["standard", "dlwp1", "keras_io"] = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This heatmap on the image shows the regions that speak for a class.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            preset: A preset computes and draws the map as a known source does. By default "standard".
        """
        return self._run_method("grad_cam", given_arguments(locals()))

    def grad_cam_plus_plus(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """This is Grad-CAM with a weight for the gradient at each position, so that the map covers every occurrence of an object.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("grad_cam_plus_plus", given_arguments(locals()))

    def grad_x_input(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, model_inputs:
        Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None =
        None
    ) -> Result:
        """This shows what each pixel adds to the class's score, to first order. Red speaks for the class, blue against it.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
        """
        return self._run_method("grad_x_input", given_arguments(locals()))

    def gradient_rollout(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, colormap: Literal["jet", "viridis",
        "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, alpha: float = DEFAULT, output: str | None = DEFAULT, layers:
        Sequence[str] | None = DEFAULT, query: Literal["class_token", "mean"] | None = DEFAULT, target: Mapping[str, Any] | int | str |
        Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT,
        frames: int | None = DEFAULT, discard_ratio: float = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """As in attention rollout, the attention of all layers is multiplied. Each weight is first multiplied by the gradient of
            the class's score, so that only attention that raises the score is followed.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            output: This is the name of the model's output that is explained.
            layers: These are the paths of the attention layers that are followed.
            query: The map shows what this token depends on: the `class_token`, or the `mean` over the tokens of the picture.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            discard_ratio: This share (0-1) of the weights of each layer, the lowest ones, is set to 0 before the layers are
                multiplied. By default 0.
        """
        return self._run_method("gradient_rollout", given_arguments(locals()))

    def gradient_shap(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, samples: int =
        DEFAULT, baselines: Sequence[Literal["black", "white", "mean", "blurred", "random"]] = DEFAULT, noise: float = DEFAULT, seed: int =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """This shows each pixel's share in the difference between the class's score for the image and its mean score for many
            random baselines, so that no single baseline decides the picture. Red speaks for the class, blue against it.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
            samples: This is the number of random points at which gradients are taken. By default 100.
            baselines: Each sample begins at one of these baselines, in turn: `black`, `white`, the `mean` colour of the image, the
                image `blurred`, or `random` pixels, which are new ones in each sample. By default ['random'].
            noise: This is the σ of the noise that each sample adds to the image, as a share of the input's range (largest minus
                smallest value), 0-1. By default 0.0.
            seed: This is the seed of all random choices. By default 0.
        """
        return self._run_method("gradient_shap", given_arguments(locals()))

    def guided_backprop(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This shows in colour on grey the edges and textures that excite the neurons behind the class.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("guided_backprop", given_arguments(locals()))

    def guided_grad_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, layer: str | None = DEFAULT, model_inputs: Mapping[str, Any] | None =
        None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This shows the detail of guided backpropagation, but only where Grad-CAM finds evidence for the class.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            layer: This is the path of Grad-CAM's target layer.
        """
        return self._run_method("guided_grad_cam", given_arguments(locals()))

    def guided_ig(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, steps: int =
        DEFAULT, fraction: float = DEFAULT, max_distance: float = DEFAULT, rule: Literal["trapezoid", "left"] = DEFAULT, baseline:
        Literal["black", "white", "mean", "blurred", "random"] = DEFAULT, seed: int = DEFAULT, model_inputs: Mapping[str, Any] | None =
        None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """As integrated gradients, but the path from the baseline to the image first changes the pixels that matter least, so that
            fewer noisy gradients are collected on the way. Red speaks for the class, blue against it.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
            steps: This is the number of steps from the baseline to the image. By default 200.
            fraction: This share of the input's values, those with the smallest gradients, is moved at a time. By default 0.25.
            max_distance: Each value may be this far ahead of the straight line or behind it, as a share of its own way. By default
                0.02.
            rule: A step counts with the mean of the gradients at both of its ends (`trapezoid`), so that the values add up better,
                or with the gradient where it begins (`left`), which is the rule of the authors' code. By default "trapezoid".
            baseline: The path begins at this baseline: `black`, `white`, the `mean` colour of the image, the image `blurred`, or
                `random` pixels. By default "blurred".
            seed: This is the seed of the random baseline. By default 0.
        """
        return self._run_method("guided_ig", given_arguments(locals()))

    def hires_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """This heatmap shows the exact positions that raise a class's score, because gradients are not averaged over the map.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("hires_cam", given_arguments(locals()))

    def hsic(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        cells: int = DEFAULT, baseline: Literal["mean", "black", "white", "blurred"] = DEFAULT, seed: int = DEFAULT, colormap:
        Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, alpha: float = DEFAULT, masks: int =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """Random masks cover half of the cells of a grid. Each cell is as warm as the class's score depends on whether the cell is
            visible, measured by the Hilbert-Schmidt independence criterion. The method needs no gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is watched: its logit or its probability. By default "logit".
            cells: The image is divided into this number of cells, down and across. By default 8.
            baseline: This covers the cells: the `mean` colour of the image, `black`, `white`, or the image `blurred`. By default
                "mean".
            seed: This is the seed of the masks. By default 0.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            masks: This is the number of random masks. By default 500.
        """
        return self._run_method("hsic", given_arguments(locals()))

    def integrated_gradients(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, steps: int | None =
        DEFAULT, max_steps: int = DEFAULT, baseline: Literal["black", "white", "mean", "blurred", "random"] = DEFAULT, rule:
        Literal["gauss_legendre", "trapezoid"] = DEFAULT, seed: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This shows each pixel's share in the difference between the class's score for the image and for a blank baseline. The
            shares sum to this difference. Red speaks for the class, blue against it.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
            steps: This is the number of gradients that are taken along the line.
            max_steps: If `steps` is null, at most this many gradients are taken along the line. By default 400.
            baseline: The line begins at this baseline: `black`, `white`, the `mean` colour of the image, the image `blurred`, or
                `random` pixels. By default "black".
            rule: This rule says where on the line the gradients are taken, and which weights they have. By default
                "gauss_legendre".
            seed: This is the seed of the random baseline. By default 0.
        """
        return self._run_method("integrated_gradients", given_arguments(locals()))

    def intervene(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, other_image: ImageInput |
        None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, layer: str | None = DEFAULT,
        action: Literal["scale", "zero", "mean", "swap"] = DEFAULT, factor: float = DEFAULT, channels: Sequence[int] | None = DEFAULT, box:
        Sequence[float] | None = DEFAULT, later: str | None = DEFAULT, shown: int = DEFAULT, top: int = DEFAULT, model_inputs: Mapping[str,
        Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This changes channels or a region of a layer while the model looks at the photo: it scales them, sets them to zero or to
            their mean, or takes them from another photo. It shows how the answer and the maps of a later layer change.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            other_image: This is the id of another photo that was uploaded with `POST /v1/images`. An image of any other form is
                uploaded.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the layer to change.
            action: `scale` multiplies the activations by `factor`, `zero` sets them to 0, `mean` replaces each channel by its mean
                over the layer's positions, and `swap` takes them from the photo `other_image`. By default "zero".
            factor: `scale` multiplies the activations by this number. By default 2.0.
            channels: These channels are changed, by their indices from 0.
            box: Only positions whose centres lie in this part of the photo are changed, [top, left, height, width] in pixels of the
                photo.
            later: This is the path of a later layer whose maps are compared.
            shown: So many channels of the later layer are drawn, those that changed most. By default 4.
            top: The facts list this many top classes, and the picture up to 5. By default 5.
        """
        return self._run_method("intervene", given_arguments(locals()))

    def kernel_shap(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        segmentation: Literal["slic", "grid"] = DEFAULT, segments: int = DEFAULT, compactness: float = DEFAULT, samples: int = DEFAULT,
        baseline: Literal["mean", "black", "white", "blurred"] = DEFAULT, seed: int = DEFAULT, alpha: float = DEFAULT, borders: bool =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """Each segment of the image gets its Shapley value: its fair share in what the whole image adds to the class's score over
            the covered one. The values sum to this difference. Red segments raise the score, blue ones lower it. The method needs
            no gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is watched: its logit or its probability. By default "logit".
            segmentation: The segments follow the colours of the image (`slic`: Achanta et al., SLIC superpixels, IEEE TPAMI 2012),
                or they are the cells of a `grid`. By default "slic".
            segments: The image is divided into about this many segments. By default 48.
            compactness: A higher number makes the segments of `slic` rounder, and a lower one lets them follow colours more
                closely. By default 10.
            samples: The model sees this many images, each with some of the segments covered. By default 1000.
            baseline: This covers the segments: the `mean` colour of the image, `black`, `white`, or the image `blurred`. By default
                "mean".
            seed: This is the seed of the random choices. By default 0.
            alpha: This is the weight of the map's colours in the overlay, 0-1, where the map is strongest. By default 0.7.
            borders: If it is true, the pictures have thin lines between segments of different weights. By default True.
        """
        return self._run_method("kernel_shap", given_arguments(locals()))

    def kpca_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, frames: int | None = DEFAULT, kernel: Literal["sigmoid", "rbf", "polynomial", "cosine"] = DEFAULT,
        gamma: float | None = DEFAULT, max_positions: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This heatmap shows what dominates a layer's activations, as EigenCAM does, but after a bend by a kernel, so that a few
            very strong places do not decide alone. It needs no class and no gradient. The facts name the top class, if the model
            has classes.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            kernel: This is the kernel k(a, b): `sigmoid` is tanh(γ·a·b + 1), `rbf` is exp(-γ·|a - b|²), `polynomial` is (γ·a·b +
                1)³, and `cosine` is the cosine of the angle between a and b. By default "sigmoid".
            gamma: This is the γ of the kernel.
            max_positions: If a layer has more positions than this, square blocks of them are averaged first, and a block has one
                value. By default 784.
        """
        return self._run_method("kpca_cam", given_arguments(locals()))

    def layer_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """This heatmap shows the positions that raise a class's score at any depth. Fused layers give detail and meaning.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: the `max` of tanh(2·map) as in the
                paper, or their `mean`. By default "max".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("layer_cam", given_arguments(locals()))

    def lime(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        segmentation: Literal["slic", "grid"] = DEFAULT, segments: int = DEFAULT, compactness: float = DEFAULT, samples: int = DEFAULT,
        baseline: Literal["mean", "black", "white", "blurred"] = DEFAULT, seed: int = DEFAULT, alpha: float = DEFAULT, borders: bool =
        DEFAULT, kernel_width: float = DEFAULT, ridge: float = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The image is divided into segments, and the model sees it many times with some of them covered. A linear model of the
            class's probability gives each segment a weight: red segments raise it, blue ones lower it. The method needs no
            gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: The linear model follows this score of the class: the probability as in the paper, or the logit. By default
                "probability".
            segmentation: The segments follow the colours of the image (`slic`: Achanta et al., SLIC superpixels, IEEE TPAMI 2012),
                or they are the cells of a `grid`. By default "slic".
            segments: The image is divided into about this many segments. By default 48.
            compactness: A higher number makes the segments of `slic` rounder, and a lower one lets them follow colours more
                closely. By default 10.
            samples: The model sees this many images, each with some of the segments covered. By default 1000.
            baseline: This covers the segments: the `mean` colour of the image, `black`, `white`, or the image `blurred`. By default
                "mean".
            seed: This is the seed of the random choices. By default 0.
            alpha: This is the weight of the map's colours in the overlay, 0-1, where the map is strongest. By default 0.7.
            borders: If it is true, the pictures have thin lines between segments of different weights. By default True.
            kernel_width: This is the cosine distance over which samples count: a small number lets only nearly whole images count.
                By default 0.25.
            ridge: This pulls the weights towards 0, as `alpha` of a ridge regression does. 0 turns it off. By default 1.0.
        """
        return self._run_method("lime", given_arguments(locals()))

    def lrp(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None =
        DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, frames: int | None =
        DEFAULT, composite: Literal["epsilon_plus_flat", "epsilon_gamma_box", "epsilon_alpha2_beta1", "epsilon"] = DEFAULT,
        convolution_rule: Literal["epsilon", "gamma", "alpha_beta", "z_plus", "flat", "w_square"] | None = DEFAULT, dense_rule:
        Literal["epsilon", "gamma", "alpha_beta", "z_plus", "flat", "w_square"] | None = DEFAULT, first_rule: Literal["epsilon", "gamma",
        "alpha_beta", "z_plus", "flat", "w_square", "z_box"] | Literal["as_others"] | None = DEFAULT, epsilon: float = DEFAULT, gamma: float
        = DEFAULT, rule_alpha: float = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] =
        DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The class's score is handed back through the network, layer by layer, and each value gets the share that it contributed.
            Red pixels speak for the class, blue ones against it.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.005.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            composite: This chooses a rule for each kind of layer. By default "epsilon_plus_flat".
            convolution_rule: This is the rule of convolutions, in place of the composite's.
            dense_rule: This is the rule of dense layers, in place of the composite's.
            first_rule: This is the rule of the first layer with weights, in place of the composite's.
            epsilon: This is the ε of the ε rule. By default 1e-06.
            gamma: This is the γ of the γ rule: contributions with the sign of the output count 1 + γ times. By default 0.25.
            rule_alpha: This is the α of the αβ rule, the weight of positive contributions. By default 2.
        """
        return self._run_method("lrp", given_arguments(locals()))

    def map_measures(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        attribution: str = DEFAULT, options: Mapping[str, Any] | None = DEFAULT, measures: Sequence[Literal["deletion", "insertion", "road",
        "infidelity", "max_sensitivity", "sparseness", "complexity", "random_logit", "pointing_game", "relevance_mass", "relevance_rank"]] =
        DEFAULT, perturbations: int = DEFAULT, disturbances: int = DEFAULT, radius: float = DEFAULT, other_classes: int = DEFAULT, seed: int
        = DEFAULT, region: Mapping[str, Any] | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high",
        "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This measures a map: whether the model goes by what it marks (ROAD, infidelity, deletion, insertion), how stable it is
            (max-sensitivity), how concentrated it is (sparseness, complexity), whether it depends on the class (random logit), and
            whether it lies on the object (pointing game, relevance mass and rank).

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is watched: its probability as in the papers, or its logit. By default "probability".
            attribution: The map of this method is tested. By default "grad_cam".
            options: These are the parameters of that method, as /v1/methods describes them.
            measures: The map is measured with these. pointing_game, relevance_mass and relevance_rank need `region`, and
                random_logit needs a class as target. deletion and insertion take 21 forward passes each, road 18 and a few seconds
                to fill pixels, and infidelity `perturbations` passes. max_sensitivity makes the map `disturbances` more times, and
                random_logit `other_classes` more times. By default ['road', 'infidelity', 'max_sensitivity', 'sparseness',
                'complexity'].
            perturbations: For infidelity, this many squares are removed from the image, one in each try. By default 64.
            disturbances: For max_sensitivity, the map is made for this many disturbed images. By default 10.
            radius: For max_sensitivity, each value of the input changes by at most this share of the distance from black to white,
                0-1. By default 0.02.
            other_classes: For random_logit, the map is made for this many other classes, which are drawn at random. By default 5.
            seed: This is the seed of all that the measures draw at random. By default 0.
            region: This is where the object lies: a `box` (top, left, height, width) in pixels of the photo, or a `mask`, the id of
                an uploaded image of the photo's size.
        """
        return self._run_method("map_measures", given_arguments(locals()))

    def mean_map(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, precision:
        Literal["float32", "bfloat16"] = DEFAULT, attribution: str = DEFAULT, options: Mapping[str, Any] | None = DEFAULT, class_index: int
        | str | None = DEFAULT, scale: Literal["each", "none"] = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This shows where a model looks for a class on average over the photos of a set, and where the photos differ: the mean and
            the spread of the maps of any attribution method, in the frame that the model sees.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            attribution: The maps of this method are averaged. By default "grad_cam".
            options: These are the parameters of that method, as /v1/methods describes them.
            class_index: This is the class to explain: a class index or a label.
            scale: If it is `each`, every map is divided by its largest absolute value first, so that all photos count alike. By
                default "each".
        """
        return self._run_method("mean_map", given_arguments(locals()))

    def nearest(
        self, image: ImageInput, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT,
        precision: Literal["float32", "bfloat16"] = DEFAULT, layer: str | None = DEFAULT, pool: Literal["mean", "max", "none"] = DEFAULT,
        names: Mapping[str, Any] | None = DEFAULT, metric: Literal["cosine", "euclidean"] = DEFAULT, count: int = DEFAULT, model_inputs:
        Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None =
        None
    ) -> Result:
        """This finds the photos of a set that a layer cannot tell well from the photo of the request: those whose activations lie
            nearest to its own, with their distances.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            layer: This is the path of the layer.
            pool: Each photo becomes one vector: the `mean` or the `max` of each channel over the layer's positions, so that it does
                not matter where in the photo something is, or with `none` all values of the layer. By default "mean".
            names: These are names for images, by their ids, which the picture shows.
            metric: This is how the distance of two photos is measured. By default "cosine".
            count: This many photos are shown, or all if the set has fewer. By default 9.
        """
        return self._run_method("nearest", given_arguments(locals()))

    def occlusion(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        frames: int | None = DEFAULT, window: int | Sequence[int] | None = DEFAULT, stride: int | Sequence[int] | None = DEFAULT, baseline:
        Literal["mean", "black", "white", "blurred"] = DEFAULT, alpha: float = DEFAULT, model_inputs: Mapping[str, Any] | None = None,
        priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """A patch slides over the image. Each place is coloured by how much the class's score falls (red) or rises (blue) while the
            place is covered. The method needs no gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is watched: its logit or its probability. By default "logit".
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            window: This is the size of the covered window in pixels of the model's input: one number for both sides, or (height,
                width).
            stride: This is the step of the window in pixels: one number, or (down, across).
            baseline: This covers the window: the `mean` colour of the image, `black`, `white`, or the image `blurred`. By default
                "mean".
            alpha: This is the weight of the map's colours in the overlay, 0-1, where the map is strongest. By default 0.7.
        """
        return self._run_method("occlusion", given_arguments(locals()))

    def partition_shap(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        samples: int = DEFAULT, baseline: Literal["blur", "inpaint_telea", "inpaint_ns", "mean", "black", "white"] = DEFAULT, blur: int |
        None = DEFAULT, batch_size: int = DEFAULT, clip: float = DEFAULT, alpha: float = DEFAULT, model_inputs: Mapping[str, Any] | None =
        None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The image is cut into halves again and again, and first where it matters most. Each part gets its share in what the whole
            image adds to the class's score over the covered one, and the shares sum to this difference. Red parts raise the score,
            blue ones lower it. The method needs no gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is watched: its logit or its probability. By default "logit".
            samples: The model sees at most this many images, each with some parts covered. By default 500.
            baseline: This covers the parts: the image under a box `blur`, a continuation of the visible parts (`inpaint_telea`:
                Telea 2004, or `inpaint_ns`: Bertalmio et al. 2001), the `mean` colour of the image, `black`, or `white`. By default
                "blur".
            blur: This is the side of the box in pixels of the model's input, over which `blur` takes the mean.
            batch_size: So many samples are chosen at a time: the two halves of each of the parts that change the score most. By
                default 10.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values. By default 99.9.
            alpha: This is the weight of the map's colours in the overlay, 0-1, where the map is strongest. By default 0.7.
        """
        return self._run_method("partition_shap", given_arguments(locals()))

    def predict(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, output: str | None = DEFAULT, top: int = DEFAULT, annotate: bool = DEFAULT, model_inputs: Mapping[str, Any] | None = None,
        priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method returns the top classes with label, logit and probability, and a bar chart of them.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            output: This is the name of the model's output that is explained.
            top: This is the number of classes to return. By default 5.
            annotate: If it is true, a line with the method and the model stands above the chart. By default True.
        """
        return self._run_method("predict", given_arguments(locals()))

    def predict_batch(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, names:
        Mapping[str, Any] | None = DEFAULT, output: str | None = DEFAULT, top: int = DEFAULT, annotate: bool = DEFAULT, model_inputs:
        Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None =
        None
    ) -> Result:
        """This method returns the top classes of up to 256 uploaded images with label, logit and probability, a sheet of them, and
            the number of images for each top class.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            names: These are names for images, by their ids, which the picture shows.
            output: This is the name of the model's output that is explained.
            top: This is the number of classes to return. By default 5.
            annotate: If it is true, a line with the method and the model stands above the sheet. By default True.
        """
        return self._run_method("predict_batch", given_arguments(locals()))

    def rank_methods(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, regions:
        Sequence[Mapping[str, Any]] | None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, measures:
        Sequence[Literal["deletion", "insertion", "road", "infidelity", "max_sensitivity", "sparseness", "complexity", "random_logit",
        "pointing_game", "relevance_mass", "relevance_rank"]] = DEFAULT, perturbations: int = DEFAULT, disturbances: int = DEFAULT, radius:
        float = DEFAULT, other_classes: int = DEFAULT, seed: int = DEFAULT, methods: Sequence[Mapping[str, Any] | str] = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | None = DEFAULT, output: str | None =
        DEFAULT, score: Literal["logit", "probability"] = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high",
        "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This answers which map to trust for a photo or a set of photos: it runs several attribution methods with the same target,
            measures each map, and ranks the methods, with what they cost.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            regions: These say where the object lies, one for each image in the order of `images`: a `box` (top, left, height,
                width) in pixels of the photo, or a `mask`, the id of an uploaded image of the photo's size.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            measures: The methods are ranked by these measures, which all count the same. pointing_game, relevance_mass and
                relevance_rank need `regions`, and random_logit needs a class as target. By default ['road', 'deletion',
                'insertion', 'infidelity'].
            perturbations: For infidelity, this many squares are removed from the image, one in each try. By default 64.
            disturbances: For max_sensitivity, the map is made for this many disturbed images. By default 10.
            radius: For max_sensitivity, each value of the input changes by at most this share of the distance from black to white,
                0-1. By default 0.02.
            other_classes: For random_logit, the map is made for this many other classes, which are drawn at random. By default 5.
            seed: This is the seed of all that the measures draw at random. By default 0.
            methods: These methods are ranked: names, or objects with `method`, `options` and `name`. By default [{'method':
                'grad_cam', 'options': None, 'name': None}, {'method': 'hires_cam', 'options': None, 'name': None}, {'method':
                'layer_cam', 'options': None, 'name': None}, {'method': 'eigen_cam', 'options': None, 'name': None}, {'method':
                'saliency', 'options': None, 'name': None}, {'method': 'integrated_gradients', 'options': None, 'name': None}].
            target: This is what all maps explain, in place of `class_index`, as in other methods.
            class_index: All maps explain this class: an index or a label.
            output: This output is explained.
            score: This score of the class is watched: its probability or its logit. By default "probability".
        """
        return self._run_method("rank_methods", given_arguments(locals()))

    def recipro_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, gaussian: bool = DEFAULT,
        max_positions: int = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, model_inputs: Mapping[str, Any] | None = None,
        priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """Each position of a layer is shown alone to the rest of the network. The heatmap is the probability of the class that
            comes out, from its smallest value up. The method needs no gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            gaussian: If it is true, a mask keeps a quarter of its position and less of the neighbours, in the shape of a Gaussian
                of 3 × 3, as in the paper. By default True.
            max_positions: This many positions of a layer are tried at most. By default 784.
            score: The map has this score of the class: its probability as in the paper, or its logit. By default "probability".
        """
        return self._run_method("recipro_cam", given_arguments(locals()))

    def refine_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, base_method: Literal["grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "element_wise_cam"] =
        DEFAULT, sizes: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT,
        fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The maps of several layers, from coarse to fine, are scaled to 0-1 and multiplied. A place is warm only if every layer
            finds evidence for the class there, so the map has the detail of the finest layer and keeps the meaning of the last one.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of the layers are scaled to 0-1 and become one map in this way: their `product`, their `mean`, or the
                `max` of tanh(2·map) as in LayerCAM. By default "product".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            base_method: The maps of the layers are those of this method. By default "grad_cam_plus_plus".
            sizes: If `layer` is null, the default target layer and the last layers before it with larger maps are used, one for
                each size of map, so many in all. By default 3.
        """
        return self._run_method("refine_cam", given_arguments(locals()))

    def rise(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        frames: int | None = DEFAULT, masks: int = DEFAULT, probability: float = DEFAULT, cells: int = DEFAULT, seed: int = DEFAULT,
        colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, alpha: float = DEFAULT,
        model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout:
        float | None = None
    ) -> Result:
        """The model sees the image through many random soft masks. The mean mask, weighted by the class's probability, shows what
            must be visible for the class to be recognised. The method needs no gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is the weight of a mask: its probability as in the paper, or its logit. By default
                "probability".
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            masks: This is the number of random masks. By default 1000.
            probability: This is the probability that a cell of a mask is open, above 0 and below 1. By default 0.5.
            cells: This is the number of cells of a mask, down and across, before it is enlarged and shifted. By default 7.
            seed: This is the seed of the random masks. By default 0.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
        """
        return self._run_method("rise", given_arguments(locals()))

    def saliency(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, colormap:
        Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, model_inputs: Mapping[str, Any] | None =
        None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The brightness of a pixel shows how much the class's score would change if this pixel changed a little.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.01.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
            colormap: The map has the colours of this colormap, alone and on the image. By default "inferno".
        """
        return self._run_method("saliency", given_arguments(locals()))

    def sandbox(
        self, image: ImageInput, *, preset: Literal["conv_3x3", "conv_10x10", "conv_3x3_one_filter", "conv_15x15_one_filter", "relu",
        "max_pool_2x2", "max_pool_5x5", "relu_max_pool_5x5", "lenet_1_1", "lenet_3_1", "lenet_3_3"] | None = DEFAULT, stages:
        Sequence[Mapping[str, Any]] | None = DEFAULT, annotate: bool = DEFAULT, seed: int = DEFAULT, model_inputs: Mapping[str, Any] | None
        = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method draws a photo after each stage of convolutions with random kernels, ReLU and pooling. It needs no model.

        Args:
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            preset: This names the stages of one of the article's figures.
            stages: These are the stages in order.
            annotate: If it is true, each stage has a row with its output, the range of its values, and what made it: a
                convolution's kernels with their numbers, or words. By default True.
            seed: This is the seed of the kernels. By default 0.
        """
        return self._run_method("sandbox", given_arguments(locals()))

    def score_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, max_channels: int | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal",
        "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This heatmap weighs each channel by the class's score for the image under a mask that is made of the channel.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            max_channels: This many channels of each layer are tried, those whose values vary most; the others have the weight 0. By
                default 256.
        """
        return self._run_method("score_cam", given_arguments(locals()))

    def shapley_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, score: Literal["rest", "logit", "probability"] = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority:
        Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This is Grad-CAM with weights that also know how the gradient changes. They estimate what each channel adds to the
            class's score, averaged over the orders in which all values of the layer could be added (its Shapley value).

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score y of the class is explained: `rest` (residual softmax, the paper's choice) is the logit plus the
                natural logarithm of the probability. By default "rest".
        """
        return self._run_method("shapley_cam", given_arguments(locals()))

    def smooth_grad(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, colormap:
        Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, samples: int = DEFAULT, noise: float =
        DEFAULT, average: Literal["mean", "squares", "variance"] = DEFAULT, seed: int = DEFAULT, model_inputs: Mapping[str, Any] | None =
        None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This is saliency averaged over noisy copies of the image, so that the influence of single pixels cancels out.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not
                count. By default 99.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.01.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
            colormap: The map has the colours of this colormap, alone and on the image. By default "inferno".
            samples: This is the number of noisy copies. By default 50.
            noise: This is the σ of the noise, as a share of the input's range (largest minus smallest value), above 0 and up to 1.
                By default 0.15.
            average: The map is the `mean` of the gradients, the mean of their `squares` (SmoothGrad-Squared), which never cancel
                out, or their `variance` (VarGrad), which needs at least 2 samples. By default "mean".
            seed: This is the seed of the noise. By default 0.
        """
        return self._run_method("smooth_grad", given_arguments(locals()))

    def sobol(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index:
        int | str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, score: Literal["logit", "probability"] = DEFAULT,
        cells: int = DEFAULT, baseline: Literal["mean", "black", "white", "blurred"] = DEFAULT, seed: int = DEFAULT, colormap:
        Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, alpha: float = DEFAULT, designs:
        Literal[4, 8, 16, 32, 64, 128, 256] = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal",
        "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The cells of a grid are covered more or less by many masks. Each cell gets its share in the variance of the class's
            score, alone and together with other cells. The method needs no gradients.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            score: This score of the class is watched: its logit or its probability. By default "logit".
            cells: The image is divided into this number of cells, down and across. By default 8.
            baseline: This covers the cells: the `mean` colour of the image, `black`, `white`, or the image `blurred`. By default
                "mean".
            seed: This is the seed of the masks. By default 0.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            designs: This is the number N of masks for each cell. By default 16.
        """
        return self._run_method("sobol", given_arguments(locals()))

    def tcav(
        self, *, model: str, images: Iterable[ImageInput], concepts: Sequence[str | Mapping[str, Any]], random_sets: Sequence[str |
        Mapping[str, Any]], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, precision: Literal["float32", "bfloat16"] =
        DEFAULT, layer: str | None = DEFAULT, class_index: int | str | None = DEFAULT, pool: Literal["none", "mean"] | None = DEFAULT,
        penalty: float = DEFAULT, annotate: bool = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high",
        "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This tests whether a concept of your own, such as stripes, matters to a class. Some photos show the concept, and sets of
            random photos do not. The score is the share of the class's photos whose class score grows towards the concept in a
            layer.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            layer: This is the path of the layer, any from which the class score is computed.
            class_index: This is the class whose photos are in `images`: a class index or a label.
            concepts: These are the concepts, each a set of photos that show it: the id of a set, or `{"name": …, "images": […]}`.
                Each image may have any form, and is uploaded.
            random_sets: These are sets of random photos that do not show the concepts, written like `concepts`. Each image may have
                any form, and is uploaded.
            pool: With `none`, a vector has a value for each position and channel of the layer, as the authors do it.
            penalty: This is the weight of the vector's length in the fit, for activations whose mean squared distance from their
                mean is 1. By default 0.01.
            annotate: If it is true, the picture has a title. By default True.
        """
        return self._run_method("tcav", given_arguments(locals()))

    def top_patches(
        self, *, model: str, images: Iterable[ImageInput], fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, names:
        Mapping[str, Any] | None = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, layer: str | None = DEFAULT, channels: int
        | Sequence[int] = DEFAULT, count: int = DEFAULT, annotate: bool = DEFAULT, per_image: int = DEFAULT, model_inputs: Mapping[str, Any]
        | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method shows what a channel looks for in real photos: the parts of up to 256 uploaded images that excite it most, as
            large as its receptive field. Each channel has a row, with the strongest part first.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            images: These are the ids of images that were uploaded with `POST /v1/images`.
            names: These are names for images, by their ids, which the picture shows.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            layer: This is the path of a layer that has a receptive field.
            channels: This is a number n for the n channels with the largest activation in these images, or a list of indices. By
                default 8.
            count: This is the number of patches of each channel. By default 9.
            annotate: If it is true, the picture names the method, the model and each patch's image, and a patch at the border of a
                photo is a square with light grey beyond the photo. By default True.
            per_image: This is how many patches of a channel one image may give. By default 1.
        """
        return self._run_method("top_patches", given_arguments(locals()))

    def weights(
        self, *, model: str, layer: str | None = DEFAULT, filters: int | Sequence[int] | None = DEFAULT, inputs: int | None = DEFAULT,
        colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] | Literal["signed"] | None = DEFAULT,
        annotate: bool = DEFAULT, columns: int | None = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high",
        "normal", "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """This method draws a layer's kernels as tiles (in colour if they read three channels), a dense layer as a matrix, and
            batch norm as plots. It returns histograms, statistics and the arrays too.

        Args:
            model: the name of the model.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            layer: This is the path of a layer with weights.
            filters: These are the filters of a convolution to draw: a number n for the first n, or a list of indices.
            inputs: Only the kernels of the first n inputs of each filter are drawn, unless the filter reads three channels.
            colormap: These are the colours.
            annotate: If it is true, the picture has a title, the scale of its colours, and numbers on tiles or axes. By default
                True.
            columns: This is the number of tiles in a row.
        """
        return self._run_method("weights", given_arguments(locals()))

    def xgrad_cam(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, precision: Literal["float32", "bfloat16"]
        = DEFAULT, output: str | None = DEFAULT, layer: str | Sequence[str] | None = DEFAULT, fuse: Literal["mean", "max", "product"] =
        DEFAULT, augment: bool = DEFAULT, colormap: Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] =
        DEFAULT, alpha: float = DEFAULT, target: Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int |
        str | Sequence[int | str] | None = DEFAULT, sign: Literal[1, -1] = DEFAULT, eigen_smooth: bool = DEFAULT, frames: int | None =
        DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal", "low"] = DEFAULT, fresh: bool = False,
        timeout: float | None = None
    ) -> Result:
        """This is Grad-CAM with each gradient weighted by its position's share of the channel's activation, so that the map nearly
            sums to the class's score.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            layer: This is the path of the target layer, or a list of paths whose maps are fused.
            fuse: The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of
                tanh(2·map) as in LayerCAM, or their `product` as in RefineCAM. By default "mean".
            augment: If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror
                image, each times 1, 0.9 and 1.1. By default False.
            colormap: The heatmap has the colours of this colormap. By default "turbo".
            alpha: This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. By default
                0.6.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            eigen_smooth: If it is true, the map is the first principal component of the weighted activations in place of their sum.
                By default False.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
        """
        return self._run_method("xgrad_cam", given_arguments(locals()))

    def xrai(
        self, image: ImageInput, *, model: str, fit: Literal["stretch", "crop", "letterbox"] | None = DEFAULT, bands: Sequence[int] | None =
        DEFAULT, input: str | None = DEFAULT, annotate: bool | Literal["side_by_side"] = DEFAULT, clip: float = DEFAULT, smooth: float =
        DEFAULT, alpha: float = DEFAULT, precision: Literal["float32", "bfloat16"] = DEFAULT, output: str | None = DEFAULT, target:
        Mapping[str, Any] | int | str | Sequence[int | str] | None = DEFAULT, class_index: int | str | Sequence[int | str] | None = DEFAULT,
        sign: Literal[1, -1] = DEFAULT, frames: int | None = DEFAULT, score: Literal["logit", "probability"] = DEFAULT, colormap:
        Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"] = DEFAULT, steps: int = DEFAULT, baselines:
        Sequence[Literal["black", "white", "mean", "blurred", "random"]] = DEFAULT, rule: Literal["gauss_legendre", "even"] = DEFAULT,
        scales: Sequence[float] = DEFAULT, dilation: int | None = DEFAULT, min_pixels: int | None = DEFAULT, area: float = DEFAULT, shares:
        Sequence[float] = DEFAULT, seed: int = DEFAULT, model_inputs: Mapping[str, Any] | None = None, priority: Literal["high", "normal",
        "low"] = DEFAULT, fresh: bool = False, timeout: float | None = None
    ) -> Result:
        """The image is divided into segments at six scales, and integrated gradients say how much each pixel adds to the class.
            Segments are then taken one by one, always the one that gains most for the area that it adds. Whole objects come out,
            and not single pixels.

        Args:
            model: the name of the model.
            image: a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.
            model_inputs: values of the model's other inputs by name.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            timeout: seconds to wait for the result at most; None waits as long as it takes.
            fit: This is how a photo is brought to the size of the model's input.
            bands: These channels of an array are shown in its place: one as grey, or three as red, green and blue.
            input: This is the name of the image input that is explained.
            annotate: If it is true, a picture of the map has a title with the method, the model, the layer and the explained class,
                and beside it the scale of its colours. By default True.
            clip: The colours reach their full strength at this percentile (50-100) of the map's absolute values. By default 100.
            smooth: The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.
                By default 0.0.
            alpha: This is the weight of the map in the overlay, 0-1. By default 0.7.
            precision: The forward and the backward pass compute in this number format. By default "float32".
            output: This is the name of the model's output that is explained.
            target: This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`,
                `difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output),
                `similarity` (to another image) and `activation` (a channel or a neuron).
            class_index: This is the class to explain: a class index, a class label, or a list of them.
            sign: For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. By default
                1.
            frames: At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its
                frames.
            score: This score of the class is differentiated. By default "logit".
            colormap: The map has the colours of this colormap, alone and on the image. By default "inferno".
            steps: This is the number of gradients that are taken along the line from each baseline. By default 100.
            baselines: A line begins at each of these baselines, and the attributions are their mean: `black`, `white`, the `mean`
                colour of the image, the image `blurred`, or `random` pixels. By default ['black', 'white'].
            rule: This rule says where on the line the gradients are taken. By default "gauss_legendre".
            scales: The image is divided once at each of these scales. By default [50, 100, 150, 250, 500, 1200].
            dilation: Each segment is enlarged by this radius in pixels of the model's input, so that it includes its edge.
            min_pixels: A segment that would add fewer pixels than this is left out.
            area: Regions are ranked until they cover more than this share of the image. By default 1.0.
            shares: The picture `best` shows the image's best regions that cover these shares (0-1) of the area. By default [0.1,
                0.2, 0.3].
            seed: This is the seed of random baselines. By default 0.
        """
        return self._run_method("xrai", given_arguments(locals()))
