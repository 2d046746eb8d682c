/** The errors that the client throws. */

import type { Job, Problem, ProblemCode } from "./types.js";

const MEDIA_TYPE = "application/problem+json";

/**
 * The service refused a request, or something between the client and the service did.
 *
 * `code` is the service's own code; it is null if the answer was no problem of the service, for example the page of a proxy.
 */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly status: number;
  readonly code: ProblemCode | null;
  readonly problem: Problem | null;
  /** The number of seconds after which the service wants the request again, or null if it does not say. */
  readonly retryAfter: number | null;

  constructor(response: Response, problem: Problem | null, now: number = Date.now()) {
    super(problem ? `${problem.title}: ${problem.detail}` : `The answer has the status ${response.status} and is not a problem of convscope.`);
    this.status = response.status;
    this.code = problem?.code ?? null;
    this.problem = problem;
    this.retryAfter = secondsOf(response.headers.get("Retry-After"), now);
  }

  /** True if the service says that the same request can succeed later, unchanged. */
  get retryable(): boolean {
    return this.problem?.retryable ?? false;
  }

  /** Read the problem of an answer whose status is an error. */
  static async of(response: Response): Promise<ProblemError> {
    const text = await response.text();
    const isProblem = response.headers.get("Content-Type")?.startsWith(MEDIA_TYPE) === true && text !== ""; // HEAD has no body
    return new ProblemError(response, isProblem ? (JSON.parse(text) as Problem) : null);
  }
}

/** A job ended without a result: it failed, was canceled, or expired. */
export class JobNotSucceededError extends Error {
  override readonly name = "JobNotSucceededError";
  readonly job: Job;

  constructor(job: Job) {
    super(job.state === "failed" ? job.error.detail : `Job ${job.id} has no result, because its state is ${job.state}.`);
    this.job = job;
  }

  /** The code of a failed job's error, or null if the job did not fail. */
  get code(): string | null {
    return this.job.state === "failed" ? this.job.error.code : null;
  }

  /** True if the same job can succeed later. */
  get retryable(): boolean {
    return this.job.state === "failed" && this.job.error.retryable;
  }
}

/** Read a `Retry-After` header, which is a number of seconds or a date. */
export function secondsOf(header: string | null, now: number): number | null {
  if (header === null || header.trim() === "") return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
