"""The target layer of a method: its parameter, its default, and the checks that it suits the method."""

from __future__ import annotations

from pydantic import Field

from schemas.errors import UnsuitableLayer
from schemas.methods.base import MethodParams
from schemas.methods.target_resolution import source_layer
from schemas.methods.targets import OtherTarget
from schemas.models import Layer, LayerPath, PublishedModel


class TargetLayerParams(MethodParams):
    """Parameters of a method that looks at one layer with a spatial map."""

    layer: LayerPath | None = Field(
        default=None, description="This is the path of the target layer. If it is null, the model's default target layer is used."
    )

    def resolve_layer(self, model: PublishedModel) -> str:
        """Return the path of the layer asked for, or of the model's default layer.

        Raises:
            UnknownLayer: the model has no such layer.
            UnsuitableLayer: the layer has no spatial map, or the model has no default layer.
        """
        return mapped_layer(model, self.layer or default_layer(model)).path


def default_layer(model: PublishedModel, output: str | None = None) -> str:
    """Return the path of the model's default target layer for the classes of `output`. None stands for the first output.

    Raises:
        UnsuitableLayer: no layer of the model has a spatial map.
    """
    path = model.description.head_at(output).default_layer
    if path is None:
        raise UnsuitableLayer(
            f"Model '{model.description.name}' has no layer with a spatial map, so it has no default layer. Name a layer.",
            pointer="/params/layer",
        )
    return path


def mapped_layer(model: PublishedModel, path: str) -> Layer:
    """Return the layer at `path`.

    Raises:
        UnknownLayer: the model has no such layer.
        UnsuitableLayer: the layer's output is neither a map (h, w, K) nor tokens that form one.
    """
    layer = model.description.layer_at(path)
    if not _has_map(layer):
        near = [other.path for other in model.description.layers if _has_map(other) and other.inbound][-5:]
        raise UnsuitableLayer(
            f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no spatial map (h, w, K), and no tokens that form one. Layers "
            f"that have a map include: {', '.join(near) or 'none'}.",
            pointer="/params/layer",
            got=path,
            nearest=near,
        )
    _check_seen(model, layer)
    return layer


def cam_layer(model: PublishedModel, path: str, output: str | None = None) -> str:
    """Return `path` if the layer has a spatial map from which the class score of `output` is computed.

    For any output but the first, only the map is checked here: the model's description does not say from which layers another
    output is computed. The worker checks this later.

    Raises:
        UnknownLayer: the model has no such layer.
        UnsuitableLayer: the layer has no such map. The error names layers that have one.
    """
    layer = model.description.layer_at(path)
    first_output = output is None or model.description.outputs[:1] == (output,)
    if not (layer.cam_able if first_output else _has_map(layer)):
        near = [other.path for other in model.description.layers if other.cam_able][-5:]
        raise UnsuitableLayer(
            f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no spatial map from which the class score is computed. "
            f"Layers that have one include: {', '.join(near) or 'none'}.",
            pointer="/params/layer",
            got=path,
            nearest=near,
        )
    _check_seen(model, layer)
    return layer.path


def explained_layer(model: PublishedModel, path: str | None, target: OtherTarget, output: str | None = None) -> str:
    """Return the path of a layer with a map from which a resolved target is computed: `path`, or the output's default layer.

    Raises:
        UnknownLayer: the model has no such layer.
        UnsuitableLayer: the layer has no map, or the target is not computed from it.
    """
    head, description = model.description.head_at(output), model.description
    source = source_layer(target, head)
    layer = mapped_layer(model, path or description.layer_for_targets(output) or default_layer(model, output))
    if source is None or description.is_computed_from(source, layer.path):
        return layer.path
    near = [other.path for other in description.layers if _has_map(other) and description.is_computed_from(source, other.path)][-5:]
    raise UnsuitableLayer(
        f"The target is not computed from layer '{layer.path}', but from '{source}' and the layers before it. Layers with a map from which "
        f"it is computed include: {', '.join(near) or 'none'}.",
        pointer="/params/layer",
        got=layer.path,
        nearest=near,
    )


def _check_seen(model: PublishedModel, layer: Layer) -> None:
    """Raise `UnsuitableLayer` if a layer's map does not lie on the explained image, because it is computed from other inputs alone."""
    description = model.description
    if description.is_seen_from_input(layer):
        return
    near = [other.path for other in description.layers if _has_map(other) and description.is_seen_from_input(other)][-5:]
    raise UnsuitableLayer(
        f"Layer '{layer.path}' is computed from {', '.join(layer.inputs) or 'no input'}, and not from the explained input "
        f"'{description.input.name}'. Name that input in `input`, or one of the layers {', '.join(near) or 'none'}.",
        pointer="/params/layer",
        got=layer.path,
        nearest=near,
    )


def _has_map(layer: Layer) -> bool:
    return len(layer.output_shape) == 3 or layer.token_grid is not None
