"""The parameters and facts of `architecture`: the model's graph as a drawing, and as text for other programs."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.models import LayerKind, LayerPath, PublishedModel

Direction = Literal["TB", "BT", "LR", "RL"]
Shape = tuple[int | None, ...]


class GraphPart(BaseModel):
    """Base of the models below, which the artifact `json` is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GraphNode(GraphPart):
    """A layer, or a nested model that is not unfolded. Shapes have no batch axis; an axis of any length is null."""

    path: str = Field(description="This is the path of the layer.")
    name: str = Field(description="This is the name of the layer inside its model.")
    type: str = Field(description="This is the layer's Keras class.")
    kind: LayerKind = Field(description="This is the kind of the layer, which decides its colour.")
    input_shapes: tuple[Shape, ...] = Field(description="These are the shapes of the layer's inputs.")
    output_shape: Shape = Field(description="This is the shape of the layer's output.")
    dtype: str | None = Field(description="This is the dtype of the layer's output. It is null if it is not known.")
    activation: str | None = Field(description="This is the layer's activation function. It is null if the layer has none.")
    parameters: int = Field(description="This is the number of the layer's parameters.")
    calls: int = Field(description="This is how often the model calls the layer. Only the first call is in the graph.")
    inside: str | None = Field(description="This is the path of the cluster that the node is in. It is null if the node is in none.")


class GraphCluster(GraphPart):
    """A nested model that is unfolded: a frame around its layers."""

    path: str = Field(description="This is the path of the nested model.")
    name: str = Field(description="This is the name of the nested model inside the model around it.")
    type: str = Field(description="This is the nested model's Keras class.")
    parameters: int = Field(description="This is the number of the nested model's parameters.")
    inside: str | None = Field(description="This is the path of the cluster around this one. It is null if there is none.")


class GraphEdge(GraphPart):
    """A connection from one node to another, by their paths."""

    source: str = Field(description="This is the path of the node whose output is read.")
    target: str = Field(description="This is the path of the node that reads it.")


class ArchitectureGraph(GraphPart):
    """The content of the artifact `json`. The nodes are in topological order."""

    model: str = Field(description="This is the name of the model.")
    direction: Direction = Field(description="This is the direction of the drawing.")
    nodes: tuple[GraphNode, ...] = Field(description="These are the layers in topological order.")
    edges: tuple[GraphEdge, ...] = Field(description="These are the connections between the layers.")
    clusters: tuple[GraphCluster, ...] = Field(description="These are the nested models that are unfolded.")
    cut: tuple[GraphEdge, ...] = Field(
        default=(), description="These are the connections to layers that are not in the graph. One end of each is a node."
    )


class ArchitectureFacts(Facts):
    nodes: int = Field(description="This is the number of layers in the graph.")
    edges: int = Field(description="This is the number of connections in the graph.")
    clusters: int = Field(description="This is the number of nested models in the graph that are unfolded.")
    parameters: int = Field(description="This is the number of parameters of the whole model.")


class Architecture(MethodParams):
    """The model's layers and their connections, as `keras.utils.plot_model` shows them."""

    card: ClassVar[MethodCard] = MethodCard(
        name="architecture",
        title="Architecture",
        summary=(
            "This method draws the model's graph with shapes, types, parameters and activations, as PNG and SVG, and writes it as DOT and "
            "JSON."
        ),
        reference="keras.utils.plot_model; laid out in rows as by Sugiyama et al., IEEE Trans. SMC 11, 1981",
        formula="the graph of the model's layers",
        cost="No pass: the configuration is read.",
        how_to_read=(
            "Follow the arrows from the input to the outputs; the shapes in the boxes show where the image gets smaller and the channels "
            "more. A box says what goes into its layer and what comes out, or one shape if both are equal. The names of the boxes are the "
            "paths that every method takes as `layer`, after the names of the frames around them. A dashed arrow leads to a layer that is "
            "not drawn beside it, and names that layer: it is in another column, or outside the part that was asked for."
        ),
        when_it_misleads="It shows what is connected, and not what is used: a trained network may ignore a whole branch.",
        needs_image=False,
        lane="fast",
        artifacts=(
            ArtifactSpec("drawing", "image", "This is the graph.", primary=True),
            ArtifactSpec("svg", "document", "This is the graph as a vector drawing.", media_type="image/svg+xml"),
            ArtifactSpec("dot", "document", "This is the graph in Graphviz's language.", media_type="text/vnd.graphviz"),
            ArtifactSpec(
                "json",
                "document",
                "This holds `nodes` (path, type, shapes and more, in topological order), `edges` (source, target), `clusters` (nested "
                "models) and `cut` (the edges that lead out of the part that was asked for).",
                media_type="application/json",
            ),
        ),
        facts=ArchitectureFacts,
        example={"direction": "TB"},
    )

    direction: Direction = Field(
        default="TB",
        description="This is the direction of the graph: top to bottom (TB), bottom to top (BT), left to right (LR) or right to left (RL).",
    )
    shapes: bool = Field(default=True, description="If it is true, the shapes of a layer's inputs and output are shown.")
    dtypes: bool = Field(
        default=True,
        description="If it is true, the dtype of a layer's output is shown. A dtype that most layers have is in the title only.",
    )
    activations: bool = Field(default=True, description="If it is true, a layer's activation function is shown, unless it is `linear`.")
    parameters: bool = Field(default=True, description="If it is true, the number of a layer's parameters is shown.")
    columns: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description=(
            "This is the number of columns into which a long graph is divided (of rows, if the direction is LR or RL). If it is null, a "
            "long graph is divided so that the picture is about as wide as high, and a short one is not divided."
        ),
    )
    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, the picture has a title, and a legend of the colours of the boxes. If it is false, it is the graph alone."
        ),
    )
    unfold: bool = Field(
        default=True, description="If it is true, nested models are frames around their layers. If it is false, each is one box."
    )
    first_layer: LayerPath | None = Field(
        default=None, description="The graph begins with this layer, in the model's order. If it is null, it begins with the first layer."
    )
    last_layer: LayerPath | None = Field(
        default=None, description="The graph ends with this layer, in the model's order. If it is null, it ends with the last layer."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Architecture:
        description = model.description
        order = {layer.path: place for place, layer in enumerate(description.layers)}
        given = {name: path for name in ("first_layer", "last_layer") if (path := getattr(self, name)) is not None}
        resolved = self.changed(**{name: description.layer_at(path, f"/params/{name}").path for name, path in given.items()})
        first, last = resolved.first_layer, resolved.last_layer
        if first is not None and last is not None and order[first] > order[last]:
            raise InvalidParameters(
                f"first_layer must not come after last_layer, but '{first}' comes after '{last}' in the model's order.",
                pointer="/params/first_layer",
                allowed=f"a layer up to {last}",
                got=first,
            )
        return resolved
