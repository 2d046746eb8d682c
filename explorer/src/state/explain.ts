// What the model answers, and the method that explains it.
import { computed, signal } from "@preact/signals";
import { mapOf, type HeatMap } from "../heat/array";
import { frameOf, frameOfPlace, type Frame, type MapFrame } from "../heat/frame";
import { scaleOf, type Scale } from "../heat/scale";
import type { View } from "../heat/draw";
import { fetchArray } from "../service/fetch_array";
import { asFault, type Fault } from "../service/problem";
import { runJob, type Step } from "../service/run";
import type { Fit, Job, Method, Params, Prediction } from "../service/types";
import { methods, model, modelName, watchWorkers } from "./catalog";
import { photo, type Photo } from "./photo";

export const predictions = signal<Prediction[]>([]);
export const answerFault = signal<Fault | null>(null);

export const methodName = signal("grad_cam");
export const method = computed<Method | null>(() => methods.value.find((each) => each.name === methodName.value) ?? null);
/** The parameters of each method that differ from the defaults. */
export const paramsOf = signal<Record<string, Params>>({});
/** The class that is explained; null for the most probable one. */
export const classIndex = signal<number | null>(null);

/** A job whose map lies on the photo. */
export interface Heat {
  job: Job;
  photo: Photo;
  map: HeatMap;
  scale: Scale;
  frame: MapFrame;
  /** Milliseconds from the call to the map in the browser. */
  took: number;
}

export const heat = signal<Heat | null>(null);
/** The last job that has succeeded, with or without a map. */
export const lastJob = signal<Job | null>(null);
export const running = signal<Step | "sent" | null>(null);
export const heatFault = signal<Fault | null>(null);
export const view = signal<View>({ colormap: "turbo", opacity: 0.65, threshold: 0, wipe: 0 });

export function takesClass(each: Method | null): boolean {
  return each?.parameters.properties?.class_index !== undefined;
}

export function currentParams(): Params {
  const params = { ...paramsOf.value[methodName.value] };
  if (takesClass(method.value) && classIndex.value !== null) params.class_index = classIndex.value;
  return params;
}

let predicting = new AbortController();

/** Ask the model for its top classes. */
export async function predict(): Promise<void> {
  predicting.abort();
  const mine = (predicting = new AbortController());
  predictions.value = [];
  answerFault.value = null;
  const [name, shown] = [modelName.value, photo.value];
  if (!name || !shown || model.value?.state !== "usable") return;
  try {
    const job = await runJob({ method: "predict", model: name, image: shown.id, params: {} }, waiting, mine.signal, 5);
    predictions.value = (job.facts?.predictions ?? []) as Prediction[];
  } catch (error) {
    if (!mine.signal.aborted) answerFault.value = asFault(error);
  }
}

let explaining = new AbortController();

/** Run the chosen method, and lay its map over the photo. The job before it is canceled if it still runs. */
export async function explain(): Promise<void> {
  explaining.abort();
  const mine = (explaining = new AbortController());
  const [name, shown, chosen] = [modelName.value, photo.value, methodName.value];
  if (!name || !shown || model.value?.state !== "usable") return;
  running.value = "sent";
  heatFault.value = null;
  const begun = performance.now();
  const card = method.value;
  const image = card?.needs_image === false ? null : shown.id;
  const told = (step: Step) => {
    if (mine.signal.aborted) return;
    running.value = step;
    waiting(step);
  };
  try {
    const job = await runJob({ method: chosen, model: card?.needs_model === false ? null : name, image, params: currentParams() }, told, mine.signal);
    const map = await mapOfJob(job, mine.signal);
    if (mine.signal.aborted) return;
    lastJob.value = job;
    if (map) heat.value = heatOf(job, shown, map, performance.now() - begun);
  } catch (error) {
    if (mine.signal.aborted) return;
    heat.value = null; // what is on the stage would not be what was asked for
    heatFault.value = asFault(error);
  }
  running.value = null;
}

/** Stop the method that runs. */
export function stop(): void {
  explaining.abort();
  running.value = null;
}

async function mapOfJob(job: Job, signal: AbortSignal): Promise<HeatMap | null> {
  const artifact = job.artifacts.find((each) => each.name === "map" && each.kind === "array");
  return artifact ? mapOf(await fetchArray(job, artifact.name, signal)) : null;
}

function heatOf(job: Job, shown: Photo, map: HeatMap, took: number): Heat {
  return { job, photo: shown, map, scale: scaleOf(map), frame: frameOfArray(job, "map", shown), took };
}

/** Return where an array of a job lies on the photo: where the service says, or else over what the model's input covers. */
export function frameOfArray(job: Job, name: string, shown: Photo): MapFrame {
  const place = job.artifacts.find((each) => each.name === name)?.on_photo;
  return place ? frameOfPlace(place) : frameFor(shown, fitOf(job));
}

/** Return the part of a photo that the chosen model's input covers. */
export function frameFor(shown: Photo, fit?: Fit | null): Frame {
  return frameOf(shown.width, shown.height, model.value?.input ?? null, fit ?? model.value?.preprocessing?.fit ?? "stretch");
}

export function fitOf(job: Job): Fit | null {
  return (job.params.fit ?? job.provenance?.fit ?? null) as Fit | null;
}

function waiting(step: Step): void {
  if (step.job.state === "queued") void watchWorkers();
}
