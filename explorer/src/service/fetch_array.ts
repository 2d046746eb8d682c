// Fetch an array that a job has made.
import type { NumberArray } from "../heat/array";
import { client } from "./api";
import type { Job } from "./types";

export async function fetchArray(job: Job, name: string, signal: AbortSignal): Promise<NumberArray> {
  const { shape, data } = await client().array(job as never, name as never, { signal });
  return { shape: [...shape], values: data instanceof Float32Array ? data : Float32Array.from(data) };
}
