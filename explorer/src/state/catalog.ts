// The models and the methods that the service has, and the model that is chosen.
import { computed, signal } from "@preact/signals";
import { describeModel, listMethods, listModels, readiness } from "../service/api";
import { asFault, faultOf, type Fault } from "../service/problem";
import type { Method, ModelDetail, ModelEntry } from "../service/types";

export const models = signal<ModelEntry[]>([]);
export const methods = signal<Method[]>([]);
export const catalogFault = signal<Fault | null>(null);
export const modelName = signal<string | null>(null);
export const model = computed(() => models.value.find((each) => each.name === modelName.value) ?? null);

/** Return a method's title; its name before the methods are known. */
export function titleOf(method: string): string {
  return methods.value.find((each) => each.name === method)?.title ?? method;
}

/** The chosen model with its layers. It comes later than its entry. */
export const modelDetail = signal<ModelDetail | null>(null);
export const modelFault = signal<Fault | null>(null);

/** True while the service says that no worker is alive. */
export const workersAway = signal(false);

export async function loadModels(): Promise<void> {
  catalogFault.value = null;
  try {
    models.value = await listModels();
  } catch (error) {
    catalogFault.value = asFault(error);
  }
}

/** Load the methods with their schemas, which are some hundred kilobytes. */
export async function loadMethods(): Promise<void> {
  if (methods.value.length) return;
  try {
    methods.value = await listMethods();
  } catch (error) {
    catalogFault.value = asFault(error);
  }
}

/** Return the model to begin with: one that a worker has loaded, or else the first one that can be used. */
export function firstModel(): string | null {
  const usable = models.value.filter((each) => each.state === "usable");
  return (usable.find((each) => each.loaded > 0) ?? usable[0])?.name ?? null;
}

export async function chooseModel(name: string): Promise<void> {
  modelName.value = name;
  modelDetail.value = null;
  modelFault.value = null;
  if (model.value?.state === "unusable") {
    modelFault.value = faultOf("unusable", `The model ${name} cannot be used: ${model.value.reason ?? "no reason is known."}`);
    return;
  }
  try {
    const detail = await describeModel(name);
    if (modelName.value === name) modelDetail.value = detail;
  } catch (error) {
    if (modelName.value === name) modelFault.value = asFault(error);
  }
}

let watching = false;

/** Ask whether a worker is alive; while none is, ask again every few seconds. */
export async function watchWorkers(): Promise<void> {
  if (watching) return;
  watching = true;
  try {
    do {
      workersAway.value = await noWorker();
      if (workersAway.value) await new Promise((resolve) => setTimeout(resolve, 3000));
    } while (workersAway.value);
  } finally {
    watching = false;
  }
}

async function noWorker(): Promise<boolean> {
  try {
    const { status, workers } = await readiness();
    return status === "starting" || workers.length === 0;
  } catch {
    return false; // the call that needed a worker has its own error
  }
}
