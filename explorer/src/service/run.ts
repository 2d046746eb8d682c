// Run a job to its end, and tell how it goes on.
import { hasEnded, JobNotSucceededError } from "../../../client/typescript/src/index";
import { client, getJob, submitJob, type Submission } from "./api";
import type { Job } from "./types";

export interface Step {
  job: Job;
  step: number;
  total: number;
  value: number | null;
  /** A data: URL of a small picture, while a synthesis forms it. */
  preview: string | null;
  /** The number of executions that are taken before it; null when it runs. */
  position: number | null;
}

export type Told = (step: Step) => void;

/**
 * Submit a job and return it when it has succeeded.
 *
 * Most jobs end within `wait` seconds; the others are followed. An abort of `signal` cancels the job. Throws what the client throws:
 * ProblemError if the job is refused, JobNotSucceededError if it fails or is canceled.
 */
export async function runJob(submission: Submission, told: Told, signal: AbortSignal, wait = 1): Promise<Job> {
  let job = await submitJob(submission, wait, signal);
  if (!hasEnded(job)) {
    try {
      await follow(job, told, signal);
    } catch (error) {
      if (signal.aborted) void client().cancel(job.id).catch(() => undefined); // it may have ended in the meantime
      throw error;
    }
    job = await getJob(job.id, 10);
  }
  if (job.state !== "succeeded") throw new JobNotSucceededError(job as never);
  return job;
}

/** Follow a job's events until it has ended. */
export async function follow(job: Job, told: Told, signal: AbortSignal): Promise<void> {
  const now: Step = { job, step: 0, total: 0, value: null, preview: null, position: job.queue_position };
  told({ ...now });
  for await (const event of client().follow(job.id, { signal })) {
    if (event.event === "status") now.position = event.queue_position ?? null;
    else if (event.event === "progress") Object.assign(now, { step: event.step, total: event.total, value: event.value, position: null });
    else if (event.event === "preview") now.preview = event.image;
    told({ ...now });
  }
}
