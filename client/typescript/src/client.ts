/** The client: run methods, submit and follow jobs, upload images, fetch artifacts. */

import createFetchClient, { type Client as FetchClient } from "openapi-fetch";

import { artifactPath, numbersOf, type ArtifactOptions, type NumberArray, type WithArtifacts } from "./artifacts.js";
import { followedEvents, type FollowedEvent, type FollowOptions } from "./follow.js";
import type { paths } from "./generated/schema.js";
import { bytesOfBase64, isFile, mediaTypeOf, referenceOf, Uploads, type ImageReference } from "./images.js";
import { JobNotSucceededError, ProblemError } from "./problem.js";
import { DEFAULT_RETRY, retryingFetch, type RetryOptions } from "./retry.js";
import { submissionOf } from "./submission.js";
import { hasEnded, type ArtifactNameOf, type ImageSource, type InputOf, type Job, type JobOf, type MethodName, type Schemas, type SucceededJobOf } from "./types.js";

export interface ClientOptions {
  /** An API key, if the service asks for one. */
  key?: string;
  /** The function that sends requests, in place of the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
  /** How requests are repeated. What is left out keeps its default. */
  retry?: Partial<RetryOptions>;
}

export interface SubmitOptions {
  /** Aborting it ends the call with the signal's reason. */
  signal?: AbortSignal | null;
  /** The same key with the same submission answers the same job for 24 hours. Without it, the client makes one. */
  idempotencyKey?: string;
  /** If it is true, the job is computed again although an identical job has a result. */
  fresh?: boolean;
}

export interface RunOptions extends SubmitOptions {
  /** This function is called with each event of the job: its states, its progress and its previews. */
  onEvent?: (event: FollowedEvent) => void;
}

/** A job, or its id. */
export type JobOrId = string | { id: string };

const LONG_POLL = 30; // seconds

export class Client {
  /** The address of the service, without a slash at the end. */
  readonly url: string;
  /** The typed operations of the OpenAPI document, for all that has no method here. They throw `ProblemError`, too. */
  readonly api: FetchClient<paths>;
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #headers: Record<string, string>;
  readonly #retry: RetryOptions;
  readonly #uploads: Uploads;

  constructor(url: string, { key, fetch = (request) => globalThis.fetch(request), retry = {} }: ClientOptions = {}) {
    this.url = url.replace(/\/+$/, "");
    this.#retry = { ...DEFAULT_RETRY, ...retry };
    this.#headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
    this.#fetch = retryingFetch(fetch, this.#retry);
    this.api = createFetchClient<paths>({ baseUrl: this.url, fetch: this.#fetch, headers: this.#headers });
    this.#uploads = new Uploads((file) => this.#upload(file));
  }

  /**
   * Run a method and return its job when it has succeeded.
   *
   * @throws ProblemError if the service refuses the submission.
   * @throws JobNotSucceededError if the job fails, is canceled or expires.
   * @throws the signal's reason if it aborts. The job is then canceled.
   */
  async run<M extends MethodName>(method: M, input: InputOf<M>, { onEvent, ...options }: RunOptions = {}): Promise<SucceededJobOf<M>> {
    const { signal = null } = options;
    const submitted = await this.#submit(method, input, options, onEvent === undefined ? LONG_POLL : 0);
    try {
      if (onEvent !== undefined) for await (const event of this.follow(submitted, { signal })) onEvent(event);
      return succeeded(await this.wait(submitted, { signal }));
    } catch (error) {
      if (signal?.aborted) await this.cancel(submitted).catch(() => undefined); // the job may have ended meanwhile
      throw error;
    }
  }

  /**
   * Submit a job and return it at once. It is queued, or it has ended already because an identical job had a result.
   *
   * @throws ProblemError if the service refuses the submission.
   */
  submit<M extends MethodName>(method: M, input: InputOf<M>, options: SubmitOptions = {}): Promise<JobOf<M>> {
    return this.#submit(method, input, options, 0);
  }

  /**
   * Wait until a job has ended, and return it. A job that has ended is returned as it is.
   *
   * @throws ProblemError if there is no such job.
   */
  async wait<J extends Job>(job: J, options?: { signal?: AbortSignal | null }): Promise<J>;
  async wait(job: string, options?: { signal?: AbortSignal | null }): Promise<Job>;
  async wait(job: Job | string, { signal = null }: { signal?: AbortSignal | null } = {}): Promise<Job> {
    let now = typeof job === "string" ? null : job;
    while (now === null || !hasEnded(now)) now = await this.job(job, { wait: LONG_POLL, signal });
    return now;
  }

  /** Return a job as it is now. With `wait`, the answer waits up to so many seconds for the job's end. */
  async job(job: JobOrId, { wait = 0, signal = null }: { wait?: number; signal?: AbortSignal | null } = {}): Promise<Job> {
    const params = { path: { job_id: idOf(job) }, query: { wait } };
    return jobIn(await this.api.GET("/v1/jobs/{job_id}", { params, signal }));
  }

  /**
   * Yield the events of one or several jobs, over one stream, until all of them have ended. At most 100 jobs share a stream.
   *
   * @throws ProblemError if one of the jobs does not exist.
   */
  async *follow(jobs: JobOrId | readonly JobOrId[], options: FollowOptions = {}): AsyncGenerator<FollowedEvent, void, undefined> {
    const ids = [...new Set((Array.isArray(jobs) ? (jobs as readonly JobOrId[]) : [jobs as JobOrId]).map(idOf))];
    const address = `${this.url}/v1/events?${new URLSearchParams({ jobs: ids.join(",") })}`;
    const open = async (lastEventId: string | null, signal: AbortSignal) => {
      const headers = { ...this.#headers, Accept: "text/event-stream", ...(lastEventId === null ? {} : { "Last-Event-ID": lastEventId }) };
      const response = await this.#fetch(new Request(address, { headers, signal, cache: "no-store" }));
      return response.status === 204 ? null : response.body;
    };
    yield* followedEvents(ids, open, this.#retry, options);
  }

  /** Cancel a job and return it. */
  async cancel(job: JobOrId): Promise<Job> {
    return jobIn(await this.api.POST("/v1/jobs/{job_id}/cancel", { params: { path: { job_id: idOf(job) } } }));
  }

  /** Forget a job and its artifacts. */
  async delete(job: JobOrId): Promise<void> {
    await this.api.DELETE("/v1/jobs/{job_id}", { params: { path: { job_id: idOf(job) } } });
  }

  /**
   * Return the address of an artifact, for `<img>` or a download.
   *
   * @throws RangeError if the job has no such artifact.
   */
  artifactUrl<M extends MethodName>(job: WithArtifacts<M>, name: ArtifactNameOf<M>, options: ArtifactOptions = {}): string {
    return this.url + artifactPath(job, name, options);
  }

  /** Fetch an artifact as a file. */
  async artifact<M extends MethodName>(job: WithArtifacts<M>, name: ArtifactNameOf<M>, options: ArtifactOptions & { signal?: AbortSignal | null } = {}): Promise<Blob> {
    const { signal = null, ...format } = options;
    return (await this.#fetch(new Request(this.artifactUrl(job, name, format), { headers: this.#headers, signal }))).blob();
  }

  /** Fetch the numbers of an artifact that is an array. */
  async array<M extends MethodName>(job: WithArtifacts<M>, name: ArtifactNameOf<M>, { signal = null }: { signal?: AbortSignal | null } = {}): Promise<NumberArray> {
    const answer = await this.artifact(job, name, { format: "json", signal });
    return numbersOf(JSON.parse(await answer.text()) as Schemas["InlineArray"]);
  }

  /** Upload an image, unless this client has uploaded it before, and return its id. */
  async uploadOnce(image: ImageSource): Promise<string> {
    if (isFile(image)) return this.#uploads.once(image);
    const reference = referenceOf(image);
    if ("id" in reference) return reference.id;
    if ("base64" in reference) return this.#uploads.once(bytesOfBase64(reference.base64));
    throw new TypeError("Only a file, its bytes, base64 or a data: address can be uploaded.");
  }

  /**
   * Upload a `.keras` or `.h5` file as a model, and return its description when a worker has checked it.
   *
   * A model that was uploaded under this name before is replaced. The key needs the scope `admin`, and the operator must have turned
   * uploads of models on.
   *
   * @throws ProblemError if the service refuses the file or the name, for example with the code `model_load_failed`.
   */
  async uploadModel(name: string, file: Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>, { signal = null }: { signal?: AbortSignal | null } = {}): Promise<Schemas["ModelDescription"]> {
    const headers = { ...this.#headers, "Content-Type": "application/octet-stream" };
    const request = new Request(`${this.url}/v1/models/${encodeURIComponent(name)}`, { method: "PUT", headers, body: file, signal });
    return (await (await this.#fetch(request)).json()) as Schemas["ModelDescription"];
  }

  /** Delete a model that was uploaded. Jobs that have it in memory go on. */
  async deleteModel(name: string): Promise<void> {
    await this.api.DELETE("/v1/models/{model}", { params: { path: { model: name } } });
  }

  async #submit<M extends MethodName>(method: M, input: InputOf<M>, options: SubmitOptions, wait: number): Promise<JobOf<M>> {
    options.signal?.throwIfAborted();
    const uploaded = new Set<string>();
    const reference = async (image: ImageSource): Promise<ImageReference> => {
      if (!isFile(image)) return referenceOf(image);
      const id = await this.#uploads.once(image);
      uploaded.add(id);
      return { id };
    };
    const headers = {
      ...(wait > 0 ? { Prefer: `wait=${wait}` } : {}),
      ...(options.fresh ? { "Cache-Control": "no-cache" } : {}),
      "Idempotency-Key": options.idempotencyKey ?? randomKey(),
    };
    const send = async () =>
      jobIn(await this.api.POST("/v1/jobs", { body: await submissionOf(method, input, reference), headers, signal: options.signal ?? null }));
    try {
      return (await send()) as JobOf<M>;
    } catch (error) {
      // An upload that the client remembers may have been deleted, or it has expired.
      if (!(error instanceof ProblemError) || error.code !== "not_found" || uploaded.size === 0) throw error;
      this.#uploads.forget(uploaded);
      return (await send()) as JobOf<M>;
    }
  }

  async #upload(file: Blob): Promise<Schemas["UploadedImage"]> {
    const headers = { ...this.#headers, "Content-Type": await mediaTypeOf(file) };
    const answer = await this.#fetch(new Request(`${this.url}/v1/images`, { method: "POST", headers, body: file }));
    return (await answer.json()) as Schemas["UploadedImage"];
  }
}

function idOf(job: JobOrId): string {
  return typeof job === "string" ? job : job.id;
}

function succeeded<M extends MethodName>(job: JobOf<M>): SucceededJobOf<M> {
  if (job.state !== "succeeded") throw new JobNotSucceededError(job as Job);
  return job as SucceededJobOf<M>;
}

/** Return the job that an answer holds. Errors were thrown before, so it is there. openapi-fetch loses the lengths of tuples in its type. */
function jobIn(answer: { data?: unknown }): Job {
  return answer.data as Job;
}

function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
