"""Write a model's graph in Graphviz's language, DOT.

The boxes are those of `keras.utils.model_to_dot`, with a colour for each kind of layer.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from rendering.graphs.boxes import colour_of
from rendering.text import Colour
from schemas.methods.inspection.architecture import Architecture, ArchitectureGraph, GraphCluster, GraphNode, Shape
from schemas.models import LayerKind

FONT = "DejaVu Sans"
LONGEST_NAME = 80  # letters


def dot(graph: ArchitectureGraph, params: Architecture) -> str:
    """Return the DOT text. Names are shortened and escaped, and are never part of an identifier."""
    ids = {node.path: f"n{index}" for index, node in enumerate(graph.nodes)}
    lines = [
        f"digraph {_quoted(graph.model)} {{",
        f'  graph [rankdir={graph.direction}, bgcolor="white", fontname="{FONT}", ranksep=0.35, nodesep=0.3]',
        f'  node [shape=plain, fontname="{FONT}"]',
        '  edge [penwidth=1.5, color="#444444", arrowsize=0.8]',
        *_inside(graph, params, ids, None, "  "),
        *(f"  {ids[edge.source]} -> {ids[edge.target]}" for edge in graph.edges),
        *_cut_edges(graph, ids),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _cut_edges(graph: ArchitectureGraph, ids: dict[str, str]) -> list[str]:
    """Return a dashed edge, and a node of words, for each connection to a layer that is not in the graph."""
    lines: list[str] = []
    for number, edge in enumerate(graph.cut):
        outside, end = (edge.source, ids.get(edge.target)) if edge.source not in ids else (edge.target, ids[edge.source])
        words = f"from {outside}" if edge.source not in ids else f"to {outside}"
        pair = f"o{number} -> {end}" if edge.source not in ids else f"{end} -> o{number}"
        lines += [f'  o{number} [label=<<font point-size="12" color="#5f5f5f">{_text(words)}</font>>]', f"  {pair} [style=dashed]"]
    return lines


def _inside(graph: ArchitectureGraph, params: Architecture, ids: dict[str, str], cluster: str | None, indent: str) -> list[str]:
    """Return the lines for the nodes of a cluster, then those for the clusters inside it. None stands for the whole graph."""
    lines = [f"{indent}{ids[node.path]} [label={_label(node, params)}]" for node in graph.nodes if node.inside == cluster]
    for index, inner in enumerate(graph.clusters):
        if inner.inside == cluster:
            lines += [
                f"{indent}subgraph cluster_{index} {{",
                f'{indent}  graph [label={_title(inner)}, labeljust=l, style="rounded", color="#20707c", penwidth=1.5, margin=14]',
                *_inside(graph, params, ids, inner.path, indent + "  "),
                f"{indent}}}",
            ]
    return lines


def _title(cluster: GraphCluster) -> str:
    return f'<<font point-size="15" color="#20707c"><b>{_text(cluster.name)}</b> ({_text(cluster.type)})</font>>'


def _label(node: GraphNode, params: Architecture) -> str:
    cells: list[str] = []
    if params.shapes:
        if node.kind is not LayerKind.INPUT:
            cells.append(_cell("Input", _shapes(node.input_shapes)))
        cells.append(_cell("Output", _shape(node.output_shape)))
    if params.dtypes and node.dtype is not None:
        cells.append(_cell("Type", node.dtype))
    rows = [
        f'<td colspan="{max(1, len(cells))}" bgcolor="{_hexadecimal(colour_of(node.kind))}">'
        f'<font point-size="14" color="white"><b>{_text(node.name)}</b> ({_text(node.type)})</font></td>'
    ]
    for wanted, words, value in (
        (params.activations and node.activation is not None, "Activation", node.activation or ""),
        (node.calls > 1, "Called", f"{node.calls} times; drawn: the first"),
    ):
        if wanted:
            rows.append(_cell(words, value, span=max(1, len(cells))))
    if cells:
        rows.append("".join(cells))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<<table border="0" cellborder="1" cellspacing="0" cellpadding="6" bgcolor="white">{body}</table>>'


def _cell(words: str, value: str, span: int = 1) -> str:
    return f'<td colspan="{span}"><font point-size="12">{words}: <b>{_text(value)}</b></font></td>'


def _shapes(shapes: Sequence[Shape]) -> str:
    return ", ".join(_shape(shape) for shape in shapes) or "?"


def _shape(shape: Shape) -> str:
    """Return a shape with its batch axis, as Keras prints it: `(None, 7, 7, 512)`."""
    return f"({', '.join(str(length) for length in (None, *shape))}{',' if not shape else ''})"


def _text(words: str) -> str:
    """Return words for an HTML-like label: short, escaped, and without control characters, which XML forbids."""
    plain = re.sub(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", words)
    short = plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME - 1] + "…"
    return html.escape(short).replace("\\", "\N{SET MINUS}") or "?"  # Graphviz replaces \N by the node's name even here


def _hexadecimal(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _quoted(words: str) -> str:
    return '"' + re.sub(r"[^\w .-]", "_", words) + '"'
