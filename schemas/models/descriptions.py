"""Describe a model as the service shows it to callers: its summary and its full description."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from schemas.errors import InvalidParameters, UnknownLayer
from schemas.models.immutable import ImmutableSchema
from schemas.models.inputs import InputSpec, ModelInput
from schemas.models.layers import Layer
from schemas.models.preprocessing import Preprocessing
from schemas.nearest_names import nearest_hint, nearest_names

NO_MODEL = "none"  # stands in place of a model's name for a method that needs no model
MODEL_NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"

ModelName = Annotated[str, Field(pattern=MODEL_NAME_PATTERN, examples=["efficientnet_lite0"])]
AskedModelName = Annotated[
    str,
    Field(max_length=256),
    WithJsonSchema({"type": "string", "pattern": MODEL_NAME_PATTERN, "examples": ["efficientnet_lite0"]}),
]
"""A name by which a caller asks for a model. A name that no model can have is taken too, so that the answer can suggest the nearest one."""
ModelSourceName = Literal["builtin", "keras_applications", "file", "onnx", "tflite", "upload"]
HeadKind = Literal["softmax", "sigmoid", "binary", "logits", "probabilities", "log_probabilities", "regression", "embedding", "none"]
HeadSetting = Literal["logits", "probabilities", "log_probabilities", "regression", "embedding"]
"""The kinds of heads that the settings of a model may give."""
HEAD_KINDS = (
    "`softmax` and `sigmoid` are final activations; the logits are taken before them. `binary` is one sigmoid unit with the logit l and "
    "the probability p. Class 1 is its positive answer, with l and p; class 0 is the negative one, with -l and 1 - p. "
    "`logits` is an output without one: its probabilities "
    "are its softmax, or the sigmoid of a single value. `probabilities` is an output that already is probabilities, for example the mean "
    "of two softmaxes: it has no logits, and log p stands in their place. `log_probabilities` is an output of such logarithms. "
    "`regression` values (a single one without a sigmoid, or what the model's settings declare) and an `embedding`, whose Euclidean "
    "length is 1, have no classes. "
    "`none` is every other output. One of (N, h, w, classes) may be a map of features; where it is explained, it is read as logits."
)

OutputKind = Literal["classes", "dense_classes", "regression", "embedding", "unknown"]
OUTPUT_KINDS = (
    "`classes` is an output (N, classes), and `dense_classes` one of (N, h, w, classes), such as a segmentation. `regression` values and "
    "an `embedding` have no classes. Every other output is `unknown`; its elements can be explained."
)


class ModelSummary(ImmutableSchema):
    """One row of `GET /v1/models`. Facts that need the loaded model are null until a worker has described it."""

    name: str = Field(
        description="The name of the model. The name of an unusable model may be one that no request can use, such as `My Model`.",
        examples=["efficientnet_lite0"],
    )
    source: ModelSourceName = Field(description="The source: this project, `keras.applications`, the models folder, or an upload.")
    title: str = Field(default="", description="A title for people to read.")
    state: Literal["usable", "unusable"] = Field(
        default="usable", description="It is `unusable` if the model's settings or its file have a fault; `reason` then names it."
    )
    reason: str | None = Field(default=None, description="These sentences say why the model is unusable. It is null for a usable model.")
    input: InputSpec | None = Field(description="The input that takes the image. It is null until a worker has described the model.")
    preprocessing: Preprocessing | None
    classes: int | None = Field(description="The number of classes. It is null without a class output, or until the model is described.")
    loaded: int = Field(description="The number of workers that have the model in memory now.")


class OutputHead(ImmutableSchema):
    """One output of a model, and what it ends in."""

    name: str
    classes: int | None = Field(description="The number of classes. It is null if the output is not (N, classes).")
    head: HeadKind = Field(description=f"It says what the values of the output are. {HEAD_KINDS}")
    default_layer: str | None = Field(
        description="The target layer if the request names none and its target is of this output. It is null if no layer suits. For an "
        "output with classes at each position, it is the last layer with the coarsest map."
    )
    dense_classes: int | None = Field(
        default=None, description="The number of classes at each position. It is null if the output is not (N, h, w, classes)."
    )
    kind: OutputKind = Field(default="unknown", description=f"It says which targets the output has. {OUTPUT_KINDS}")
    shape: tuple[int | None, ...] = Field(default=(), description="The output's shape without the batch axis. A size that varies is null.")
    layer: str | None = Field(default=None, description="The path of the layer that makes the output.")

    @property
    def class_count(self) -> int | None:
        """The number of classes of the output, or at each position of it. It is None if it has none."""
        return self.classes or self.dense_classes


class ModelDescription(ImmutableSchema):
    """`GET /v1/models/{model}`: everything a client needs to draw the model and to validate a request."""

    name: ModelName
    source: ModelSourceName = Field(description="The source: this project, `keras.applications`, the models folder, or an upload.")
    title: str = Field(default="", description="A title for people to read.")
    input: InputSpec
    preprocessing: Preprocessing
    classes: int | None = Field(description="The number of classes of the first output. It is null if that output is not (N, classes).")
    head: HeadKind = Field(description=f"It says what the values of the first output are. {HEAD_KINDS}")
    outputs: tuple[str, ...] = Field(description="The names of the outputs, in order.")
    heads: tuple[OutputHead, ...] = Field(default=(), description="The head of each output, in the order of `outputs`.")
    inputs: tuple[ModelInput, ...] = Field(default=(), description="Every input of the model, in order.")
    other_inputs: tuple[str, ...] = Field(
        default=(),
        description="The inputs beside the one that takes the photo. A submission gives them values by name in `inputs`. Those that it "
        "leaves out are filled with zeros.",
    )
    loaded: int = Field(default=0, description="The number of workers that have the model in memory now.")
    fingerprint: str = Field(description="The sha256 of the model's architecture and weights, in hex.")
    parameters: int = Field(description="The number of the model's weights, trainable or not.")
    default_layer: str | None = Field(
        description="The target layer if the request names none: the last layer with a spatial map, after its activation. "
        "It is null if there is no such layer."
    )
    layers: tuple[Layer, ...] = Field(
        description="Every layer, in an order in which each layer stands after those it reads. A forward-only model has none."
    )
    forward_only: bool = Field(
        default=False,
        description="True for an ONNX or TFLite file. It can be run, but it has no layers to look at and no gradients. The methods with "
        "`forward_only` in `GET /v1/methods` work with it.",
    )
    custom_objects: tuple[str, ...] = Field(
        default=(),
        description="The Python objects of the operator's own (CONVSCOPE_CUSTOM_OBJECTS) that the model is made of.",
        examples=[["frogs.layers:Croak"]],
    )
    warnings: tuple[str, ...] = Field(
        default=(), description="Sentences about the model itself that every result repeats, for example that a layer has NaN weights."
    )

    def head_at(self, output: str | None, pointer: str = "/params/output") -> OutputHead:
        """Return the output of that name, or the first output for None. `pointer` says where the name stands in the request.

        Raises:
            InvalidParameters: the model has no such output; the error names the outputs that it has.
        """
        if output is None or self.outputs[:1] == (output,):
            return self._first_head
        for head in self.heads:
            if head.name == output:
                return head
        allowed = ", ".join(self.outputs)
        raise InvalidParameters(
            f"Model '{self.name}' has no output '{output}'. Its outputs are: {allowed}.", pointer=pointer, allowed=allowed, got=output
        )

    def input_at(self, name: str, pointer: str) -> ModelInput:
        """Return the input of that name. `pointer` says where the name stands in the request.

        Raises:
            InvalidParameters: the model has no such input; the error names the nearest ones.
        """
        inputs = self.inputs or (self._photo_input,)
        for each in inputs:
            if each.name == name:
                return each
        names = [each.name for each in inputs]
        nearest = nearest_names(name, names)
        raise InvalidParameters(
            f"Model '{self.name}' has no input '{name}'.{nearest_hint(nearest)} Its inputs are: {', '.join(names)}.",
            pointer=pointer,
            allowed=", ".join(names),
            got=name,
            nearest=nearest,
        )

    def is_seen_from_input(self, layer: Layer) -> bool:
        """Return whether a layer is computed from the input that `input` describes."""
        return not layer.inputs or self.input.name in layer.inputs

    def layer_for_targets(self, output: str | None) -> str | None:
        """Return the path of the target layer if the request names none and explains another target than a class of this output."""
        named = self.head_at(output)
        return next((head.default_layer for head in self.heads if head.name == named.name), named.default_layer)

    def is_computed_from(self, path: str, source: str) -> bool:
        """Return whether the layer at `path` is computed from the layer `source`, or is the same layer."""
        return path in self._computed_from(source)

    def _computed_from(self, source: str) -> set[str]:
        found = {source}
        for layer in self.layers:  # each layer stands after those it reads
            if not found.isdisjoint(layer.inbound):
                found.add(layer.path)
        return found

    @cached_property
    def _first_head(self) -> OutputHead:
        """The first output. What the model itself says about it comes before what `heads` says."""
        name = self.outputs[0] if self.outputs else ""
        own = {"name": name, "classes": self.classes, "head": self.head, "default_layer": self.default_layer}
        if self.classes is not None:
            own["kind"] = "classes"
        return OutputHead.model_validate({**(dict(self.heads[0]) if self.heads else {}), **own})

    @cached_property
    def _photo_input(self) -> ModelInput:
        """The input that takes the photo, for a description that lists no inputs."""
        given = self.input
        shape = (given.height, given.width, given.channels)
        return ModelInput(name=given.name, shape=shape, dtype="float32", preprocessing=self.preprocessing, default_layer=self.default_layer)

    @cached_property
    def _by_path(self) -> dict[str, Layer]:
        return {layer.path: layer for layer in self.layers}

    def layer_at(self, path: str, pointer: str = "/params/layer") -> Layer:
        """Return the layer of that path, or the only layer of that name in a nested model: `Conv_1` for `base/Conv_1`.

        `pointer` says where the path stands in the request.

        Raises:
            UnknownLayer: the model has no such layer, or several nested models have one of that name; the error names the nearest paths.
        """
        if self.forward_only:
            raise UnknownLayer(
                f"Model '{self.name}' can only be run as a whole. It has no layers to look at, so it has no layer '{path}'.",
                pointer=pointer,
                allowed="none",
                got=path,
            )
        own_name = [layer for layer in self.layers if layer.path.rpartition("/")[2] == path]
        if path not in self._by_path and len(own_name) == 1:
            return own_name[0]
        try:
            return self._by_path[path]
        except KeyError:
            nearest = nearest_names(path, self._by_path)
            raise UnknownLayer(
                f"Model '{self.name}' has no layer '{path}'.{nearest_hint(nearest)} See /v1/models/{self.name}/layers.",
                pointer=pointer,
                got=path,
                nearest=nearest,
            ) from None
