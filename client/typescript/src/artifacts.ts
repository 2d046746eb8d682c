/** The addresses and the numbers of artifacts. */

import type { ArtifactNameOf, Job, MethodName, Schemas } from "./types.js";

/** A job whose artifacts are named, or the part of it that the client needs. */
export interface WithArtifacts<M extends MethodName = MethodName> {
  id: string;
  method: M;
  state: Job["state"];
  artifacts: readonly { name: string; url: string }[];
}

export interface ArtifactOptions {
  /** The format, for example `"png"`, `"webp"`, `"npy"` or `"json"`. Without it, the artifact comes as it is stored. */
  format?: "png" | "webp" | "jpeg" | "gif" | "npy" | "npz" | "json" | "svg" | "dot";
  /** The width of a thumbnail, 16 to 2,048 pixels. Only images have thumbnails. */
  width?: number;
  /** The colours of a map that is drawn as PNG. */
  colormap?: Schemas["GradCam"]["colormap"];
}

/**
 * Return the path of an artifact with its query.
 *
 * @throws RangeError if the job has no such artifact.
 */
export function artifactPath<M extends MethodName>(job: WithArtifacts<M>, name: ArtifactNameOf<M>, options: ArtifactOptions = {}): string {
  const found = job.artifacts.find((artifact) => artifact.name === name);
  if (found === undefined) {
    const names = job.artifacts.map((artifact) => artifact.name).join(", ");
    const existing = names === "" ? `It has no artifacts, because it is ${job.state}.` : `It has: ${names}.`;
    throw new RangeError(`Job ${job.id} has no artifact '${name}'. ${existing}`);
  }
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(options)) if (value !== undefined) query.set(key, String(value));
  if (query.size === 0) return found.url;
  return `${found.url}${found.url.includes("?") ? "&" : "?"}${query}`;
}

/** An array with its shape, in C order. `data` has the numbers. */
export interface NumberArray {
  dtype: string;
  shape: readonly number[];
  data: Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;
}

const TYPES = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
} as const;

/**
 * Return the numbers of an array that came as JSON. All machines that run browsers or Node are little-endian, as the array is.
 *
 * @throws TypeError if JavaScript has no array of this number type.
 */
export function numbersOf({ dtype, shape, base64 }: Schemas["InlineArray"]): NumberArray {
  if (!(dtype in TYPES)) throw new TypeError(`An array of ${dtype} has no counterpart here. Possible are: ${Object.keys(TYPES).join(", ")}.`);
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return { dtype, shape, data: new TYPES[dtype as keyof typeof TYPES](bytes.buffer) };
}
