// Calls of the service, through its TypeScript client. The key, if there is one, is kept for this tab only.
import { computed, signal } from "@preact/signals";
import { Client } from "../../../client/typescript/src/index";
import type { Job, Method, ModelDetail, Params } from "./types";

const KEY_NAME = "convscope-key";

/** The path under which a proxy shows the service, or empty. */
export const root = document.querySelector<HTMLMetaElement>('meta[name="convscope-root"]')?.content ?? "";

const apiKey = signal(sessionStorage.getItem(KEY_NAME) ?? "");
export const hasKey = computed(() => apiKey.value !== "");
/** True after an answer said that a key is missing or wrong. */
export const keyWanted = signal(false);

export function rememberKey(key: string): void {
  apiKey.value = key;
  sessionStorage.setItem(KEY_NAME, key);
  keyWanted.value = false;
}

async function heardFetch(request: Request): Promise<Response> {
  const answer = await fetch(request);
  if (answer.status === 401) keyWanted.value = true;
  return answer;
}

// Somebody looks at the page, so an error is shown soon and with a button, in place of many silent repetitions.
const made = computed(() => new Client(location.origin + root, { ...(apiKey.value ? { key: apiKey.value } : {}), fetch: heardFetch, retry: { retries: 1, longestRetryAfter: 2 } }));

export const client = () => made.value;

export async function listModels() {
  return (await client().api.GET("/v1/models")).data!;
}

export async function listMethods(): Promise<Method[]> {
  return (await client().api.GET("/v1/methods")).data as unknown as Method[];
}

export async function describeModel(model: string): Promise<ModelDetail> {
  // openapi-fetch loses the lengths of tuples in its type.
  return (await client().api.GET("/v1/models/{model}", { params: { path: { model } } })).data as unknown as ModelDetail;
}

export async function searchLabels(model: string, q: string) {
  return (await client().api.GET("/v1/models/{model}/labels", { params: { path: { model }, query: { q } } })).data!;
}

export async function readiness() {
  const { data } = await client().api.GET("/readyz");
  return data!;
}

export async function uploadIds(): Promise<string[]> {
  const { data } = await client().api.GET("/v1/images", { params: { query: { limit: 50 } } });
  return data!.items.map((each) => each.id);
}

/** Return an upload as it was sent, or with `width` as a thumbnail of at most so many pixels. */
export async function imageFile(id: string, width?: number): Promise<Blob> {
  const { data } = await client().api.GET("/v1/images/{image_id}", { params: { path: { image_id: id }, query: { width } }, parseAs: "blob" });
  return data as Blob;
}

/** Return a job as it is; with `wait`, as it is when it ends or after so many seconds. */
export async function getJob(id: string, wait = 0): Promise<Job> {
  return (await client().job(id, { wait })) as unknown as Job;
}

export interface Submission {
  method: string;
  /** Null for a method that needs no model. */
  model: string | null;
  /** The id of an upload; null for a method that needs no photo. */
  image: string | null;
  params: Params;
}

/** Submit a job, and wait at most `wait` seconds for its end. */
export async function submitJob({ method, model, image, params }: Submission, wait: number, signal: AbortSignal): Promise<Job> {
  // The method is chosen when the page runs, so its request has no type of its own here. The service checks it.
  const body = { method, params, ...(model ? { model } : {}), ...(image ? { image: { id: image } } : {}) } as never;
  const { data } = await client().api.POST("/v1/jobs", { body, headers: { Prefer: `wait=${wait}` }, signal });
  return data as unknown as Job;
}

/** Return an address of the service for `<img>` and links. `query` is added to it. */
export function addressOf(url: string, query: Record<string, string | number> = {}): string {
  const pairs = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return root + url + (pairs.size ? (url.includes("?") ? "&" : "?") + pairs : "");
}
