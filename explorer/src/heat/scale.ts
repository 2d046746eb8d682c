// The scale of a map: which values have the first and the last colour.
import type { HeatMap } from "./array";

export interface Scale {
  low: number;
  high: number;
  /** True if values below zero mean the opposite of those above it. Then zero lies in the middle. */
  signed: boolean;
  /** True if some values lie beyond the scale and have the colour of its end. */
  clipped: boolean;
}

const MANY_CELLS = 2000;
const SHARE = 0.995;

/**
 * Return the scale of a map.
 *
 * It begins at zero, so that a weak map does not look strong. A map with values below zero has zero in the middle. A map of many cells
 * ends where 0.5 % of its values lie beyond, because a few extreme pixels would leave all others without colour.
 */
export function scaleOf(map: HeatMap): Scale {
  const finite = map.values.filter(Number.isFinite);
  const size = finite.map(Math.abs).sort();
  const most = size.at(-1) ?? 0;
  const end = size.length > MANY_CELLS ? size[Math.floor(SHARE * (size.length - 1))]! || most : most;
  const signed = finite.some((value) => value < -1e-6 * most);
  return { low: signed ? -end : 0, high: end, signed, clipped: end < most };
}

/** Return a number in few digits. */
export function inWords(value: number): string {
  if (!Number.isFinite(value)) return "not a number";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000 || size < 0.001) return value.toExponential(1).replace("-", "−");
  return value.toPrecision(3).replace("-", "−");
}
