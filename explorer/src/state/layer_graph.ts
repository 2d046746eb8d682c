// The layers of a model as rows of a list, with nested models folded, and the edges between the rows.
import type { Layer } from "../service/types";

export interface Row {
  /** The path of a layer, or of a nested model that is folded or opened. */
  path: string;
  layer: Layer | null;
  /** The number of layers of a nested model; null for a layer. */
  nested: number | null;
  depth: number;
}

export interface Edge {
  from: number;
  to: number;
}

/**
 * Return the rows that are shown. The layers of a nested model (`base/conv1`) have one row together, unless `opened` has its path.
 *
 * `wanted` leaves out layers that nobody searches for.
 */
export function rowsOf(layers: Layer[], opened: ReadonlySet<string>, wanted: (layer: Layer) => boolean): Row[] {
  const rows: Row[] = [];
  const headings = new Set<string>();
  for (const layer of layers) {
    const parents = parentsOf(layer.path);
    const folded = parents.find((parent) => !opened.has(parent));
    if (!wanted(layer)) continue;
    for (const [depth, parent] of parents.entries()) {
      if (folded && parent.length > folded.length) break;
      if (headings.has(parent)) continue;
      headings.add(parent);
      rows.push({ path: parent, layer: null, depth, nested: layers.filter((each) => each.path.startsWith(`${parent}/`)).length });
    }
    if (!folded) rows.push({ path: layer.path, layer, nested: null, depth: parents.length });
  }
  return rows;
}

/** Return the edges between rows, from what each layer reads. Edges inside a folded model have none. */
export function edgesOf(rows: Row[], layers: Layer[]): Edge[] {
  const places = new Map(rows.map((row, at) => [row.path, at]));
  const rowOf = (path: string) => places.get(path) ?? parentsOf(path).map((parent) => places.get(parent)).findLast((at) => at !== undefined);
  const found = new Map<string, Edge>();
  for (const layer of layers) {
    const to = rowOf(layer.path);
    for (const source of layer.inbound) {
      const from = rowOf(source);
      if (from !== undefined && to !== undefined && from < to) found.set(`${from}-${to}`, { from, to });
    }
  }
  return [...found.values()];
}

/** Return the paths of the models that a layer is nested in, the outermost first. */
export function parentsOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join("/"));
}
