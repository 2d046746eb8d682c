// Through the network: the graph of layers, the maps of a layer, and the card of a channel.
import { computed, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { chooseModel, modelDetail, modelFault, modelName } from "../state/catalog";
import { edgesOf, rowsOf, type Edge, type Row } from "../state/layer_graph";
import { unit } from "../state/unit";
import { ChannelCard } from "./channel_card";
import { MapStrip } from "./map_strip";
import { Empty, FaultNotice } from "./notice";

const ROW = 34; // pixels, as in styles.css
const GUTTER = 64;

const opened = signal<ReadonlySet<string>>(new Set());
const query = signal("");
const kind = signal("");

const rows = computed(() => {
  const words = query.value.toLowerCase();
  const wanted = (layer: { path: string; type: string; kind: string }) =>
    (!kind.value || layer.kind === kind.value) && `${layer.path} ${layer.type}`.toLowerCase().includes(words);
  const layers = modelDetail.value?.layers ?? [];
  // Who searches for a layer wants to see it, also inside a nested model.
  const folds = words || kind.value ? new Set(layers.flatMap((each) => each.path.split("/").map((_, at, all) => all.slice(0, at + 1).join("/")))) : opened.value;
  return rowsOf(layers, folds, wanted);
});

export function NetworkPanel() {
  const detail = modelDetail.value;
  return (
    <section class="panel network" id="network" aria-labelledby="network-title">
      <h2 id="network-title">
        Through the network
        {detail && <span class="subtitle">{` ${detail.layers.length} layers, ${detail.parameters.toLocaleString("en")} parameters`}</span>}
      </h2>
      <FaultNotice problem={modelFault.value} again={() => modelName.value && void chooseModel(modelName.value)} />
      {!detail && !modelFault.value && <Empty>The layers of the model appear here when a worker has described it.</Empty>}
      {detail && (
        <div class="network-columns">
          <LayerList />
          <div class="layer-view">
            {unit.value ? <MapStrip key={unit.value.layer} layer={unit.value.layer} /> : <Empty>Choose a layer to see its maps of the photo.</Empty>}
          </div>
        </div>
      )}
      {detail && unit.value && unit.value.channel !== null && (
        <ChannelCard key={`${detail.name} ${unit.value.layer} ${unit.value.channel}`} layer={unit.value.layer} channel={unit.value.channel} />
      )}
    </section>
  );
}

function LayerList() {
  const list = useRef<HTMLDivElement>(null);
  const layers = modelDetail.value!.layers;
  const kinds = [...new Set(layers.map((each) => each.kind))].sort();
  useEffect(() => {
    const box = list.current;
    const chosen = box?.querySelector<HTMLElement>('[aria-pressed="true"]');
    if (box && chosen) box.scrollTop = chosen.offsetTop - box.clientHeight / 2;
  }, [modelDetail.value]);
  return (
    <div class="layers">
      <div class="row">
        <input type="search" aria-label="Search layers" placeholder="Search layers" value={query.value} onInput={(event) => (query.value = event.currentTarget.value)} />
        <select aria-label="Kind of layer" value={kind.value} onChange={(event) => (kind.value = event.currentTarget.value)}>
          <option value="">all kinds</option>
          {kinds.map((each) => <option key={each} value={each}>{each}</option>)}
        </select>
      </div>
      <div class="graph" ref={list} tabIndex={0} role="group" aria-label="Layers, from the input to the output">
        <Edges rows={rows.value} edges={edgesOf(rows.value, layers)} />
        <ul>{rows.value.map((row) => <LayerRow key={row.path} row={row} />)}</ul>
        {!rows.value.length && <p class="empty">No layer is like that. Search for another word or kind.</p>}
      </div>
    </div>
  );
}

function LayerRow({ row }: { row: Row }) {
  const name = row.path.split("/").at(-1);
  if (!row.layer) {
    const isOpen = opened.value.has(row.path);
    const toggle = () => {
      const next = new Set(opened.value);
      if (!next.delete(row.path)) next.add(row.path);
      opened.value = next;
    };
    return (
      <li>
        <button type="button" class="layer nested" aria-expanded={isOpen} onClick={toggle} style={{ paddingLeft: `${GUTTER + 14 * row.depth}px` }}>
          <span>{isOpen ? "▾" : "▸"} {name}</span>
          <span class="small">{row.nested} layers</span>
        </button>
      </li>
    );
  }
  const { layer } = row;
  const choose = () => (unit.value = { layer: layer.path, channel: null });
  return (
    <li>
      <button
        type="button"
        class="layer"
        title={`${layer.path} reads ${layer.inbound.join(", ") || "nothing"}`}
        aria-pressed={unit.value?.layer === layer.path}
        onClick={choose}
        style={{ paddingLeft: `${GUTTER + 14 * row.depth}px` }}
      >
        <span>{name}</span>{" "}
        <span class="small">
          {layer.type} {layer.output_shape?.map((side) => side ?? "?").join("×") ?? ""}
        </span>
      </button>
    </li>
  );
}

/** Draw the edges beside the rows: straight to the next row, and as an arc past others. */
function Edges({ rows, edges }: { rows: Row[]; edges: Edge[] }) {
  const middle = (row: number) => row * ROW + ROW / 2;
  const right = GUTTER - 14;
  return (
    <svg class="edges" width={GUTTER} height={rows.length * ROW} aria-hidden="true">
      {edges.map(({ from, to }) => {
        const span = to - from;
        const reach = Math.min(right - 6, 6 + 9 * Math.log2(span));
        const path =
          span === 1
            ? `M${right} ${middle(from)}V${middle(to)}`
            : `M${right} ${middle(from)}C${right - reach * 1.3} ${middle(from)} ${right - reach * 1.3} ${middle(to)} ${right} ${middle(to)}`;
        return <path key={`${from}-${to}`} d={path} class={span === 1 ? "edge" : "edge skip"} />;
      })}
      {rows.map((row, at) => <circle key={row.path} cx={right} cy={middle(at)} r={row.layer ? 4 : 6} class={`node ${row.layer?.kind ?? "nested"}`} />)}
    </svg>
  );
}
