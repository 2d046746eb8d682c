// The maps of a layer for the photo: a small picture for each channel, drawn from the layer's activation.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { channelOf, type NumberArray } from "../heat/array";
import { drawMap } from "../heat/draw";
import { inWords, scaleOf } from "../heat/scale";
import { fetchArray } from "../service/fetch_array";
import { runJob } from "../service/run";
import type { Job } from "../service/types";
import { model, modelDetail } from "../state/catalog";
import { photo } from "../state/photo";
import { unit } from "../state/unit";
import { Empty, FaultNotice, Warnings } from "./notice";
import { ProgressLine } from "./progress";
import { useJob } from "./use_job";

const AT_FIRST = 24;

interface LayerMaps {
  job: Job;
  layer: string;
  activation: NumberArray;
  /** The channels, the one with the highest mean first, as the service ranks them. */
  order: number[];
}

/** The maps of the layer that is shown. The card of a channel draws one of them on the photo. */
export const layerMaps = signal<LayerMaps | null>(null);

interface LayerFacts {
  channels?: { channel: number }[];
}

export function MapStrip({ layer }: { layer: string }) {
  const [again, tryAgain] = useState(0);
  const [count, show] = useState(AT_FIRST);
  const [shown, name] = [photo.value, model.value?.state === "usable" ? model.value.name : null];
  const entry = modelDetail.value?.layers.find((each) => each.path === layer);
  const maps = useJob<LayerMaps>(
    shown && name && entry
      ? async (told, signal) => {
          const job = await runJob({ method: "activations", model: name, image: shown.id, params: { layer } }, told, signal, 5);
          const activation = await fetchArray(job, "activations", signal);
          const facts = (job.facts?.layers as LayerFacts[])[0];
          const ranked = facts?.channels?.map((each) => each.channel) ?? [];
          const others = Array.from({ length: activation.shape.at(-1)! }, (_, channel) => channel).filter((channel) => !ranked.includes(channel));
          return { job, layer, activation, order: [...ranked, ...others] };
        }
      : null,
    [shown, name, layer, entry, again],
  );
  useEffect(() => {
    layerMaps.value = maps.value;
  }, [maps.value]);
  if (!entry) return <Empty>{`The model ${name} has no layer “${layer}”. Choose one of the list.`}</Empty>;
  const spatial = maps.value?.activation.shape.length === 3;
  return (
    <>
      <h3 class="mono">{layer}</h3>
      <p class="small">
        {entry.type}, output {entry.output_shape?.map((side) => side ?? "?").join(" × ")}, {entry.parameters.toLocaleString("en")} parameters
        {entry.receptive_field ? `, each value sees ${entry.receptive_field.size.join(" × ")} pixels of the input` : ""}
      </p>
      <ProgressLine step={maps.step} />
      <FaultNotice problem={maps.fault} again={() => tryAgain(again + 1)} />
      <Warnings warnings={maps.value?.job.warnings ?? []} />
      {maps.value && spatial && (
        <>
          <p class="small">The channels with the highest mean come first. Each map has its own scale, which begins at zero. A map with values below zero is red and blue.</p>
          <ul class="strip" aria-label={`Maps of ${layer}`}>
            {maps.value.order.slice(0, count).map((channel) => <SmallMap key={channel} maps={maps.value!} channel={channel} />)}
          </ul>
          {count < maps.value.order.length && (
            <button type="button" onClick={() => show(count + 48)}>Show more of {maps.value.order.length} channels</button>
          )}
        </>
      )}
      {maps.value && !spatial && <Values maps={maps.value} />}
    </>
  );
}

function SmallMap({ maps, channel }: { maps: LayerMaps; channel: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const map = channelOf(maps.activation, channel);
    drawMap(canvas.current!, map, scaleOf(map), "viridis");
  }, [maps, channel]);
  const open = () => (unit.value = { layer: maps.layer, channel });
  return (
    <li>
      <button type="button" aria-pressed={unit.value?.channel === channel} aria-label={`Channel ${channel}`} onClick={open}>
        <canvas ref={canvas} aria-hidden="true" />
        <span class="small">{channel}</span>
      </button>
    </li>
  );
}

/** A layer without a map: its strongest values. */
function Values({ maps }: { maps: LayerMaps }) {
  const { values, shape } = maps.activation;
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, 12);
  return (
    <>
      <p class="small">This layer has no map, only {shape.join(" × ")} values. These are the largest.</p>
      <table class="values">
        <thead>
          <tr>
            <th scope="col">Index</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {order.map((at) => (
            <tr key={at}>
              <td>{at}</td>
              <td>{inWords(values[at]!)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
