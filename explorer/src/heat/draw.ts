// Draw a map on a photo.
import type { HeatMap } from "./array";
import { colourTable, divergingTable, type Colormap } from "./colours";
import { acrossMap, downMap, onPhoto, type MapFrame } from "./frame";
import { resampled } from "./resample";
import type { Scale } from "./scale";

export interface View {
  colormap: Colormap;
  /** The weight of the strongest colour, 0-1. */
  opacity: number;
  /** Values below this share of the scale have no colour, 0-1. */
  threshold: number;
  /** The share of the picture, from the left, that shows the photo alone, 0-1. */
  wipe: number;
}

/** Return the colour and the weight of each of 256 levels, RGBA bytes in a row. */
export function levelColours(scale: Scale, view: View): Uint8ClampedArray {
  const table = scale.signed ? divergingTable() : colourTable(view.colormap);
  const colours = new Uint8ClampedArray(1024);
  for (let level = 0; level < 256; level++) {
    const strength = scale.signed ? Math.abs(level - 127.5) / 127.5 : level / 255;
    colours.set(table.subarray(3 * level, 3 * level + 3), 4 * level);
    // The weight follows the heat, so that what has none stays a photo.
    colours[4 * level + 3] = strength < view.threshold ? 0 : 255 * view.opacity * Math.min(1, 1.6 * strength ** 0.7);
  }
  return colours;
}

/** Return the level (0-255) of a value. */
export function levelOf(value: number, scale: Scale): number {
  const span = scale.high - scale.low;
  if (!Number.isFinite(value) || span === 0) return scale.signed ? 128 : 0;
  return Math.round(Math.min(1, Math.max(0, (value - scale.low) / span)) * 255);
}

/** Draw the photo, the heat over it, and what the model did not see dimmed, on a canvas of `canvas.width` × `canvas.height` pixels. */
export function drawStage(
  canvas: HTMLCanvasElement,
  photo: CanvasImageSource,
  size: { width: number; height: number },
  frame: MapFrame,
  heat: { map: HeatMap; scale: Scale } | null,
  view: View,
): void {
  const context = canvas.getContext("2d")!;
  const zoom = canvas.width / size.width;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(photo, 0, 0, canvas.width, canvas.height);
  const seen = onPhoto(frame, size.width, size.height);
  const [left, top] = [Math.round(seen.left * zoom), Math.round(seen.top * zoom)];
  const [right, bottom] = [Math.round((seen.left + seen.width) * zoom), Math.round((seen.top + seen.height) * zoom)];
  if (heat && right > left && bottom > top) {
    const across = places(right - left, (x) => acrossMap(frame, (left + x + 0.5) / zoom));
    const down = places(bottom - top, (y) => downMap(frame, (top + y + 0.5) / zoom));
    const layer = heatLayer(resampled(heat.map, across, down), heat.scale, view);
    context.save();
    context.beginPath();
    const edge = Math.round(view.wipe * canvas.width);
    context.rect(edge, 0, canvas.width - edge, canvas.height);
    context.clip();
    context.drawImage(layer, left, top);
    context.restore();
    if (view.wipe > 0 && view.wipe < 1) drawEdge(context, edge);
  }
  dim(context, left, top, right, bottom);
}

function places(count: number, place: (pixel: number) => number): Float64Array {
  return Float64Array.from({ length: count }, (_, pixel) => place(pixel));
}

function heatLayer(map: HeatMap, scale: Scale, view: View): HTMLCanvasElement {
  const layer = document.createElement("canvas");
  [layer.width, layer.height] = [map.width, map.height];
  const context = layer.getContext("2d")!;
  const pixels = context.createImageData(map.width, map.height);
  const colours = new Uint32Array(levelColours(scale, view).buffer);
  const out = new Uint32Array(pixels.data.buffer);
  for (let at = 0; at < out.length; at++) out[at] = colours[levelOf(map.values[at]!, scale)]!;
  context.putImageData(pixels, 0, 0);
  return layer;
}

function drawEdge(context: CanvasRenderingContext2D, edge: number): void {
  context.fillStyle = "rgb(0 0 0 / 0.6)";
  context.fillRect(edge - 2, 0, 4, context.canvas.height);
  context.fillStyle = "white";
  context.fillRect(edge - 1, 0, 2, context.canvas.height);
}

function dim(context: CanvasRenderingContext2D, left: number, top: number, right: number, bottom: number): void {
  const { width, height } = context.canvas;
  if (left <= 0 && top <= 0 && right >= width && bottom >= height) return;
  context.fillStyle = "rgb(255 255 255 / 0.55)";
  context.fillRect(0, 0, left, height);
  context.fillRect(right, 0, width - right, height);
  context.fillRect(left, 0, right - left, top);
  context.fillRect(left, bottom, right - left, height - bottom);
  context.strokeStyle = "rgb(40 40 40 / 0.8)";
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
}

/** Draw a map alone, as a small picture whose cells fill the canvas. */
export function drawMap(canvas: HTMLCanvasElement, map: HeatMap, scale: Scale, colormap: Colormap): void {
  [canvas.width, canvas.height] = [map.width, map.height];
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(map.width, map.height);
  const table = scale.signed ? divergingTable() : colourTable(colormap);
  map.values.forEach((value, cell) => {
    const level = levelOf(value, scale);
    pixels.data.set(table.subarray(3 * level, 3 * level + 3), 4 * cell);
    pixels.data[4 * cell + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
}
