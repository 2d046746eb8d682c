// Arrays of a job as maps.

/** Numbers in C order. */
export interface NumberArray {
  shape: number[];
  values: Float32Array;
}

/** A map of one value for each cell, in rows. */
export interface HeatMap {
  height: number;
  width: number;
  values: Float32Array;
}

/** Return a map (h, w), or the map at `index` of several (n, h, w). Throws if the array has other axes. */
export function mapOf(array: NumberArray, index = 0): HeatMap {
  const [height, width] = array.shape.slice(-2);
  if (height === undefined || width === undefined || array.shape.length > 3) {
    throw new Error(`A map has the axes (h, w) or (n, h, w); got ${array.shape.join(" × ")}.`);
  }
  const start = array.shape.length === 3 ? index * height * width : 0;
  return { height, width, values: array.values.subarray(start, start + height * width) };
}

/** Return one channel of an activation (h, w, K). */
export function channelOf(array: NumberArray, channel: number): HeatMap {
  const [height, width, channels] = array.shape as [number, number, number];
  const values = new Float32Array(height * width);
  for (let cell = 0; cell < values.length; cell++) values[cell] = array.values[cell * channels + channel]!;
  return { height, width, values };
}
