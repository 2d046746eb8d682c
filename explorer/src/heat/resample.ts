// Values of a map between the centres of its cells.
import type { HeatMap } from "./array";

/** Return the value of a map at a place in its frame, 0-1 across and 0-1 down, by bilinear interpolation with half-pixel centres. */
export function valueAt(map: HeatMap, across: number, down: number): number {
  return resampled(map, Float64Array.of(across), Float64Array.of(down), linear).values[0]!;
}

/** The weights of the cells at −1, 0, 1 and 2, for a place at `part` (0-1) of the way from cell 0 to cell 1. */
type Kernel = (part: number) => [number, number, number, number];

const linear: Kernel = (part) => [0, 1 - part, part, 0];

/** Cubic convolution with a = −1/2 (Keys 1981): the curve goes through the cells' values and has no corners. */
const cubic: Kernel = (t) => [
  ((2 - t) * t - 1) * t / 2,
  ((3 * t - 5) * t * t + 2) / 2,
  ((4 - 3 * t) * t + 1) * t / 2,
  ((t - 1) * t * t) / 2,
];

/**
 * Return a map at other places: rows at `down` and columns at `across`, both 0-1 in the map's frame.
 *
 * A place beyond the centre of the outermost cell has that cell's value.
 */
export function resampled(map: HeatMap, across: Float64Array, down: Float64Array, kernel: Kernel = cubic): HeatMap {
  const [columns, rows] = [taps(across, map.width, kernel), taps(down, map.height, kernel)];
  const wide = new Float32Array(map.height * across.length);
  for (let row = 0, at = 0; row < map.height; row++) {
    for (let x = 0; x < across.length; x++, at++) wide[at] = sum(map.values, row * map.width, 1, columns, x);
  }
  const values = new Float32Array(down.length * across.length);
  for (let y = 0, at = 0; y < down.length; y++) {
    for (let x = 0; x < across.length; x++, at++) values[at] = sum(wide, x, across.length, rows, y);
  }
  return { height: down.length, width: across.length, values };
}

interface Taps {
  cells: Int32Array;
  weights: Float64Array;
}

function taps(places: Float64Array, cells: number, kernel: Kernel): Taps {
  const found: Taps = { cells: new Int32Array(4 * places.length), weights: new Float64Array(4 * places.length) };
  places.forEach((place, each) => {
    const position = Math.min(Math.max(place * cells - 0.5, 0), cells - 1);
    const first = Math.floor(position);
    kernel(position - first).forEach((weight, tap) => {
      found.cells[4 * each + tap] = Math.min(Math.max(first + tap - 1, 0), cells - 1);
      found.weights[4 * each + tap] = weight;
    });
  });
  return found;
}

function sum(values: Float32Array, start: number, stride: number, { cells, weights }: Taps, each: number): number {
  let total = 0;
  for (let tap = 4 * each; tap < 4 * each + 4; tap++) total += weights[tap]! * values[start + stride * cells[tap]!]!;
  return total;
}
