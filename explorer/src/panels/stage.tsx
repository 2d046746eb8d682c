// The stage: the photo with the heat over it, drawn here from the map's array. No slider makes a job.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { COLORMAPS, colourTable, divergingTable, type Colormap } from "../heat/colours";
import { drawStage, type View } from "../heat/draw";
import { acrossMap, downMap, sees } from "../heat/frame";
import { valueAt } from "../heat/resample";
import { inWords } from "../heat/scale";
import { explain, frameFor, heat, heatFault, running, view, type Heat } from "../state/explain";
import { titleOf } from "../state/catalog";
import { photo, type Photo } from "../state/photo";
import { explained, pin, pins, unpin } from "../state/pins";
import { Empty, FaultNotice, Warnings } from "./notice";
import { ProgressLine } from "./progress";

const WIDEST = 960;

export function StagePanel() {
  const shown = photo.value;
  const current = heat.value?.photo === shown ? heat.value : null;
  return (
    <section class="panel stage" aria-labelledby="stage-title">
      <h2 id="stage-title">
        Stage
        {current && <span class="subtitle">{` ${titleOf(current.job.method)} for ${explained(current)}`}</span>}
      </h2>
      {shown ? <Canvas shown={shown} current={current} /> : <Empty>Choose a photo on the left, or one of the samples.</Empty>}
      <ProgressLine step={running.value} />
      <FaultNotice problem={heatFault.value} again={() => void explain()} />
      {current && <ScaleBar current={current} />}
      {current && <Controls signed={current.scale.signed} />}
      {current && (
        <p class="row">
          <button type="button" onClick={() => pin(current)}>Pin this view</button>
          <span class="small">
            The map of {current.map.height} × {current.map.width} cells came in {Math.round(current.took)} ms
            {current.job.cached ? ", from an earlier result" : ""}.
          </span>
        </p>
      )}
      {current && <Warnings warnings={current.job.warnings} />}
      <Pins />
    </section>
  );
}

function Canvas({ shown, current }: { shown: Photo; current: Heat | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [place, setPlace] = useState<[number, number] | null>(null);
  const zoom = Math.min(WIDEST / shown.width, Math.max(1, 560 / shown.width));
  const [width, height] = [Math.round(shown.width * zoom), Math.round(shown.height * zoom)];
  const frame = current?.frame ?? frameFor(shown);
  // Before the browser paints, so the heat stands in the first frame after its array has come.
  useLayoutEffect(() => {
    drawStage(canvas.current!, shown.bitmap, shown, frame, current, view.value);
  }, [shown, current, view.value, width, height, frame.left, frame.top, frame.width, frame.height]);
  useEffect(() => setPlace(null), [shown]);
  const point = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    setPlace([((event.clientX - box.left) / box.width) * shown.width, ((event.clientY - box.top) / box.height) * shown.height]);
  };
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, y] = place ?? [shown.width / 2, shown.height / 2];
    const far = Math.max(shown.width, shown.height) / (event.shiftKey ? 10 : 50);
    setPlace([Math.min(Math.max(x + step[0] * far, 0), shown.width), Math.min(Math.max(y + step[1] * far, 0), shown.height)]);
  };
  return (
    <div class="canvas-box">
      <canvas
        ref={canvas}
        width={width}
        height={height}
        class="stage-canvas"
        role="img"
        tabIndex={0}
        aria-label={`${shown.title} with its heat. The arrow keys move the pointer, which reads the map's value.`}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setPlace(null)}
        onKeyDown={move}
      />
      {place && <Cross x={place[0] / shown.width} y={place[1] / shown.height} />}
      <p class="readout" aria-live="polite">{readout(place, current)}</p>
    </div>
  );
}

function Cross({ x, y }: { x: number; y: number }) {
  return <div class="cross" aria-hidden="true" style={{ left: `${100 * x}%`, top: `calc(${y} * (100% - 1.6rem))` }} />;
}

function readout(place: [number, number] | null, current: Heat | null): string {
  if (!place) return current ? "Point at the photo to read the map." : "";
  const where = `x ${Math.round(place[0])}, y ${Math.round(place[1])}`;
  if (!current) return where;
  if (!sees(current.frame, ...place)) return `${where}: the model does not see this place`;
  const value = valueAt(current.map, acrossMap(current.frame, place[0]), downMap(current.frame, place[1]));
  const share = current.scale.high ? ` (${Math.round((100 * value) / current.scale.high)} % of the scale)` : "";
  return `${where}: ${inWords(value)}${share}`;
}

export function ScaleBar({ current }: { current: Pick<Heat, "scale"> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { low, high, signed, clipped } = current.scale;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const table = signed ? divergingTable() : colourTable(view.value.colormap);
    for (let level = 0; level < 256; level++) {
      context.fillStyle = `rgb(${table[3 * level]} ${table[3 * level + 1]} ${table[3 * level + 2]})`;
      context.fillRect(level, 0, 1, 12);
    }
  }, [signed, view.value.colormap]);
  return (
    <div class="scale">
      <canvas ref={canvas} width={256} height={12} role="img" aria-label={`The colours of the scale from ${inWords(low)} to ${inWords(high)}`} />
      <div class="numbers small">
        <span>{clipped && signed ? `≤ ${inWords(low)}` : inWords(low)}</span>
        <span>{inWords((low + high) / 2)}</span>
        <span>{clipped ? `≥ ${inWords(high)}` : inWords(high)}</span>
      </div>
    </div>
  );
}

function Controls({ signed }: { signed: boolean }) {
  const set = (change: Partial<View>) => (view.value = { ...view.value, ...change });
  const { colormap, opacity, threshold, wipe } = view.value;
  return (
    <div class="controls">
      <label>
        Colours
        <select aria-label="Colours" value={colormap} disabled={signed} onChange={(event) => set({ colormap: event.currentTarget.value as Colormap })}>
          {COLORMAPS.map((each) => <option key={each} value={each}>{each}</option>)}
        </select>
        {signed && <span class="small">A map with two signs is red and blue.</span>}
      </label>
      <Slider label="Opacity" value={opacity} change={(value) => set({ opacity: value })} />
      <Slider label="Threshold" value={threshold} change={(value) => set({ threshold: value })} />
      <Slider label="Before / after" value={wipe} change={(value) => set({ wipe: value })} />
    </div>
  );
}

function Slider({ label, value, change }: { label: string; value: number; change: (value: number) => void }) {
  return (
    <label>
      <span>
        {label} <span class="small">{Math.round(100 * value)} %</span>
      </span>
      <input
        type="range"
        min={0}
        max={100}
        value={Math.round(100 * value)}
        aria-label={label}
        onInput={(event) => change(Number(event.currentTarget.value) / 100)}
      />
    </label>
  );
}

function Pins() {
  if (!pins.value.length) return null;
  return (
    <div class="pins" role="group" aria-label="Pinned views">
      {pins.value.map((each) => <Pinned key={each.job.id} each={each} />)}
      {pins.value.length === 1 && <Empty>Choose another class, method or model, and pin that view too. Both then stand side by side.</Empty>}
    </div>
  );
}

function Pinned({ each }: { each: Heat }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = 420;
  useEffect(() => {
    drawStage(canvas.current!, each.photo.bitmap, each.photo, each.frame, each, { ...view.value, wipe: 0 });
  }, [each, view.value]);
  const words = `${explained(each)} · ${titleOf(each.job.method)} · ${each.job.model}`;
  return (
    <figure class="pin">
      <canvas ref={canvas} width={width} height={Math.round((width * each.photo.height) / each.photo.width)} role="img" aria-label={`Pinned: ${words}`} />
      <figcaption class="small">
        {words} <button type="button" class="link" onClick={() => unpin(each)} aria-label={`Remove the pin of ${words}`}>Remove</button>
      </figcaption>
    </figure>
  );
}
