// The card of a channel: its map on the photo, the image that excites it, the pattern that it found, and patches of the user's photos.
import { useEffect, useRef, useState } from "preact/hooks";
import { channelOf } from "../heat/array";
import { drawStage } from "../heat/draw";
import { scaleOf } from "../heat/scale";
import { addressOf, uploadIds } from "../service/api";
import { runJob } from "../service/run";
import type { Job, Params } from "../service/types";
import { modelDetail } from "../state/catalog";
import { frameOfArray, view } from "../state/explain";
import { photo } from "../state/photo";
import { permalink } from "../state/session";
import { unit } from "../state/unit";
import { layerMaps } from "./map_strip";
import { Empty, FaultNotice } from "./notice";
import { ProgressLine } from "./progress";
import { ScaleBar } from "./stage";
import { useJob } from "./use_job";

interface Channel {
  layer: string;
  channel: number;
}

export function ChannelCard({ layer, channel }: Channel) {
  const entry = modelDetail.value?.layers.find((each) => each.path === layer);
  if (!entry) return null;
  if (entry.channels !== null && channel >= entry.channels) {
    return <Empty>{`The layer ${layer} has the channels 0 to ${entry.channels - 1}; the link names ${channel}.`}</Empty>;
  }
  const spatial = entry.output_shape?.length === 3;
  return (
    <article class="channel-card" aria-label={`Channel ${channel} of ${layer}`}>
      <h3>
        Channel {channel} of <span class="mono">{layer}</span>
      </h3>
      <p class="row">
        <a href={permalink()}>Link to this channel</a>
        <button type="button" onClick={() => (unit.value = { layer, channel: null })}>Close</button>
      </p>
      <div class="channel-parts">
        {spatial && <MapOnPhoto channel={channel} />}
        <Formed layer={layer} channel={channel} />
        {spatial && <Pattern layer={layer} channel={channel} />}
        {spatial && <Patches layer={layer} channel={channel} />}
      </div>
    </article>
  );
}

function MapOnPhoto({ channel }: { channel: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [maps, shown] = [layerMaps.value, photo.value];
  const map = maps ? channelOf(maps.activation, channel) : null;
  const scale = map ? scaleOf(map) : null;
  useEffect(() => {
    if (!maps || !map || !scale || !shown) return;
    drawStage(canvas.current!, shown.bitmap, shown, frameOfArray(maps.job, "activations", shown), { map, scale }, { ...view.value, wipe: 0 });
  }, [maps, shown, channel, view.value]);
  return (
    <figure>
      <figcaption>Its map on the photo</figcaption>
      {shown && maps ? (
        <canvas ref={canvas} width={360} height={Math.round((360 * shown.height) / shown.width)} role="img" aria-label={`The map of channel ${channel} on the photo`} />
      ) : (
        <Empty>The map is being computed.</Empty>
      )}
      {scale && <ScaleBar current={{ scale }} />}
    </figure>
  );
}

/** Run a method for the channel, and show its primary picture. */
function useChannelJob(method: string, image: string | null, params: Params, on: unknown[], when = true) {
  const name = modelDetail.value!.name;
  return useJob<Job>(when ? (told, signal) => runJob({ method, model: name, image, params }, told, signal) : null, [name, when, ...on]);
}

const PATIENCE = 256; // steps, as the preset `lucid` of the service takes at most

function Formed({ layer, channel }: Channel) {
  const [steps, take] = useState(64);
  const run = useChannelJob("filters", null, { layer, channels: [channel], steps, annotate: false }, [layer, channel, steps]);
  return (
    <figure>
      <figcaption>The image that excites it most</figcaption>
      <ProgressLine step={run.step} />
      <Primary job={run.value} words={`The image that excites channel ${channel} of ${layer} most`} />
      <FaultNotice problem={run.fault} />
      {run.value && steps < PATIENCE && <button type="button" onClick={() => take(PATIENCE)}>Take {PATIENCE} steps in place of {steps}</button>}
    </figure>
  );
}

/** Without max pooling, the rule of deconvnet takes nothing from the photo, so the service advises guided backpropagation. */
function patternRule(): "deconv" | "guided" {
  return modelDetail.value!.layers.some((each) => each.type.startsWith("MaxPool") || each.type.startsWith("GlobalMaxPool")) ? "deconv" : "guided";
}

function Pattern({ layer, channel }: Channel) {
  const shown = photo.value;
  const rule = patternRule();
  const run = useChannelJob("deconvnet", shown?.id ?? null, { layer, channels: [channel], rule, keep: "map" }, [layer, channel, shown], shown !== null);
  return (
    <figure>
      <figcaption>What it found in the photo (deconvnet{rule === "guided" ? ", guided rule" : ""})</figcaption>
      <ProgressLine step={run.step} />
      <Primary job={run.value} words={`The pattern of the photo that channel ${channel} responds to`} />
      {run.value?.warnings.map((each) => <p key={each} class="small">{each}</p>)}
      <FaultNotice problem={run.fault} />
    </figure>
  );
}

function Patches({ layer, channel }: Channel) {
  const [asked, ask] = useState(false);
  const name = modelDetail.value!.name;
  const run = useJob<Job | "few">(
    asked
      ? async (told, signal) => {
          const images = await uploadIds();
          if (images.length < 2) return "few";
          return runJob({ method: "top_patches", model: name, image: null, params: { images, layer, channels: [channel] } }, told, signal);
        }
      : null,
    [asked, layer, channel, name],
  );
  return (
    <figure>
      <figcaption>Patches of your photos</figcaption>
      {!asked && <button type="button" onClick={() => ask(true)}>Search my photos</button>}
      <ProgressLine step={run.step} />
      {run.value === "few" ? (
        <Empty>There are fewer than two photos. Choose some more above, and search again.</Empty>
      ) : (
        <Primary job={run.value} words={`The parts of your photos that excite channel ${channel} most`} />
      )}
      <FaultNotice problem={run.fault} />
    </figure>
  );
}

function Primary({ job, words }: { job: Job | null; words: string }) {
  const artifact = job?.artifacts.find((each) => each.primary);
  return artifact ? <img src={addressOf(artifact.url, { width: 480 })} alt={words} /> : null;
}
