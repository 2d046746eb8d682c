"""`architecture`: the model's graph, drawn, and as text that others can draw."""

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


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GraphNode(_Part):
    """A layer, or a nested model that is not unfolded. Shapes are without the batch axis; null where an axis varies."""

    path: str
    name: str
    type: str
    kind: LayerKind
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    dtype: str | None
    activation: str | None
    parameters: int
    calls: int = Field(description="How often the model calls it; only the first call is in the graph.")
    inside: str | None = Field(description="Path of the cluster it stands in.")


class GraphCluster(_Part):
    """A nested model that is unfolded."""

    path: str
    name: str
    type: str
    parameters: int
    inside: str | None


class GraphEdge(_Part):
    source: str
    target: str


class ArchitectureGraph(_Part):
    """What the artifact `json` holds: nodes in topological order, edges by path."""

    model: str
    direction: Direction
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    clusters: tuple[GraphCluster, ...]


class ArchitectureFacts(Facts):
    nodes: int
    edges: int
    clusters: int
    parameters: int = Field(description="Of the whole model.")


class Architecture(MethodParams):
    """The model's layers and how they are joined, as `keras.utils.plot_model` shows them."""

    card: ClassVar[MethodCard] = MethodCard(
        name="architecture",
        title="Architecture",
        summary="The model's graph with shapes, types and activations, nested models unfolded: PNG and SVG, DOT, and JSON to lay out.",
        reference="keras.utils.plot_model; laid out by Graphviz (Gansner et al., IEEE TSE 1993)",
        needs_image=False,
        lane="fast",
        artifacts=(
            ArtifactSpec("drawing", "image", "The graph; missing where the worker has no Graphviz.", primary=True, optional=True),
            ArtifactSpec("svg", "document", "The same as a vector drawing; missing likewise.", media_type="image/svg+xml", optional=True),
            ArtifactSpec("dot", "document", "The graph in Graphviz's language.", media_type="text/vnd.graphviz"),
            ArtifactSpec(
                "json",
                "document",
                "`nodes` (path, type, shapes, …, in topological order), `edges` (source, target) and `clusters` (nested models).",
                media_type="application/json",
            ),
        ),
        facts=ArchitectureFacts,
        example={"direction": "TB"},
    )

    direction: Direction = Field(default="TB", description="From top to bottom, bottom to top, left to right, right to left.")
    shapes: bool = Field(default=True, description="Show the shapes of what a layer reads and gives.")
    dtypes: bool = Field(default=True, description="Show the type of what a layer gives.")
    activations: bool = Field(default=True, description="Show a layer's activation function.")
    unfold: bool = Field(default=True, description="Nested models as frames around their layers; false: as one box each.")
    first_layer: LayerPath | None = Field(default=None, description="The graph from this layer on, in the model's order.")
    last_layer: LayerPath | None = Field(default=None, description="The graph up to this layer, in the model's order.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Architecture:
        description = model.description
        order = {layer.path: place for place, layer in enumerate(description.layers)}
        for name in ("first_layer", "last_layer"):
            if (path := getattr(self, name)) is not None:
                description.layer_at(path, f"/params/{name}")
        if self.first_layer is not None and self.last_layer is not None and order[self.first_layer] > order[self.last_layer]:
            raise InvalidParameters(
                f"'{self.first_layer}' comes after '{self.last_layer}' in the model's order.",
                pointer="/params/first_layer",
                allowed=f"a layer up to {self.last_layer}",
                got=self.first_layer,
            )
        return self
