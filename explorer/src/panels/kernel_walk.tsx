// A kernel slides over a small copy of the photo. Each step shows its nine products and their sum.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { HeatMap } from "../heat/array";
import { drawMap } from "../heat/draw";
import { scaleOf } from "../heat/scale";
import { convolve, KERNELS, maxPool, patchAt, relu, SIDE } from "../learn/convolution";
import { photo, type Photo } from "../state/photo";

const WIDTH = 36; // pixels of the small copy
const STEP = 90; // milliseconds

export function KernelWalk() {
  const shown = photo.value!;
  const [kernel, choose] = useState(0);
  const [at, go] = useState(0);
  const [playing, play] = useState(false);
  const picture = useMemo(() => smallCopy(shown), [shown]);
  const { weights, words, name } = KERNELS[kernel]!;
  const output = useMemo(() => convolve(picture, weights), [picture, weights]);
  const last = output.values.length - 1;
  useEffect(() => go(0), [picture]);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => go((before) => (before >= last ? 0 : before + 1)), STEP);
    return () => clearInterval(timer);
  }, [playing, last]);
  const [row, column] = [Math.floor(at / output.width), at % output.width];
  return (
    <div class="walk">
      <h3>A kernel slides over the photo</h3>
      <div class="row">
        <label class="inline">
          Kernel{" "}
          <select value={kernel} onChange={(event) => choose(Number(event.currentTarget.value))}>
            {KERNELS.map((each, index) => <option key={each.name} value={index}>{each.name}</option>)}
          </select>
        </label>
        <button type="button" onClick={() => play(!playing)}>{playing ? "Pause" : "Play"}</button>
        <button type="button" onClick={() => go(Math.max(0, at - 1))} disabled={at === 0}>Back</button>
        <button type="button" onClick={() => go(Math.min(last, at + 1))} disabled={at === last}>Step</button>
        <label class="inline grow">
          <span class="hidden-words">Position of the kernel</span>
          <input type="range" min={0} max={last} value={at} onInput={(event) => go(Number(event.currentTarget.value))} />
        </label>
      </div>
      <p>{words}</p>
      <div class="walk-pictures">
        <Pixels map={picture} title={`The photo, ${picture.width} × ${picture.height} grey pixels`} box={[row, column, SIDE]} />
        <Arithmetic patch={patchAt(picture, row, column)} weights={weights} place={[row, column]} />
        <Pixels map={output} title={`The map of “${name}”, ${output.width} × ${output.height}`} box={[row, column, 1]} upTo={at} />
        <Pixels map={relu(output)} title="After ReLU: negative values are 0" />
        <Pixels map={maxPool(relu(output))} title="After max pooling of 2 × 2: the largest of four stays" />
      </div>
    </div>
  );
}

interface PixelsProps {
  map: HeatMap;
  title: string;
  box?: [number, number, number];
  /** Cells after this one are not computed yet, and stay empty. */
  upTo?: number;
}

function Pixels({ map, title, box, upTo }: PixelsProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    drawMap(canvas.current!, map, scaleOf(map), "gray");
    if (upTo === undefined) return;
    const context = canvas.current!.getContext("2d")!;
    const [row, column] = [Math.floor(upTo / map.width), upTo % map.width];
    context.clearRect(column + 1, row, map.width, 1);
    context.clearRect(0, row + 1, map.width, map.height);
  }, [map, upTo]);
  return (
    <figure class="pixels">
      <div class="pixel-box">
        <canvas ref={canvas} role="img" aria-label={title} />
        {box && (
          <svg viewBox={`0 0 ${map.width} ${map.height}`} aria-hidden="true">
            <rect x={box[1]} y={box[0]} width={box[2]} height={box[2]} class="kernel-box" />
          </svg>
        )}
      </div>
      <figcaption class="small">{title}</figcaption>
    </figure>
  );
}

function Arithmetic({ patch, weights, place }: { patch: number[]; weights: number[]; place: [number, number] }) {
  const total = patch.reduce((sum, value, at) => sum + value * weights[at]!, 0);
  const rows = [0, 1, 2];
  return (
    <div class="arithmetic">
      <table>
        <caption class="small">
          Row {place[0]}, column {place[1]}: pixel × weight
        </caption>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              {rows.map((column) => {
                const at = SIDE * row + column;
                return (
                  <td key={column}>
                    {patch[at]!.toFixed(2)} × {decimal(weights[at]!)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        Sum of the nine products: <strong>{total.toFixed(2).replace("-", "−")}</strong>
      </p>
    </div>
  );
}

function decimal(weight: number): string {
  return (Number.isInteger(weight) ? String(weight) : weight.toFixed(2)).replace("-", "−");
}

/** Return a small grey copy of the photo, 0 (black) to 1 (white). */
function smallCopy(shown: Photo): HeatMap {
  const [width, height] = [WIDTH, Math.max(SIDE, Math.round((WIDTH * shown.height) / shown.width))];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.drawImage(shown.bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const values = Float32Array.from({ length: width * height }, (_, at) => (0.299 * data[4 * at]! + 0.587 * data[4 * at + 1]! + 0.114 * data[4 * at + 2]!) / 255);
  return { height, width, values };
}
