/** Repeat requests that may be repeated. */

import { ProblemError } from "./problem.js";

export interface RetryOptions {
  /** How often a request is repeated at most. With 0, no request is repeated. */
  retries: number;
  /** The milliseconds before the first repetition, if the service does not say when to come again. They double each time. */
  firstDelay: number;
  /** The most milliseconds before a repetition that the client chooses itself. The service may ask for more. */
  longestDelay: number;
  /** The longest `Retry-After`, in seconds, that the client waits for. If the service asks for more, the error is thrown at once. */
  longestRetryAfter: number;
}

export const DEFAULT_RETRY: RetryOptions = { retries: 4, firstDelay: 500, longestDelay: 15_000, longestRetryAfter: 120 };

/**
 * Return the milliseconds to wait before repetition number `attempt`, which counts from 0.
 *
 * A random share of up to a quarter is added, so that clients that were refused together do not come back together.
 */
export function delayBefore(attempt: number, retryAfter: number | null, options: RetryOptions, random: () => number = Math.random): number {
  const own = Math.min(options.firstDelay * 2 ** attempt, options.longestDelay);
  return Math.max(own, (retryAfter ?? 0) * 1000) * (1 + random() / 4);
}

/** Wait for some milliseconds. Throw the signal's reason if it aborts before. */
export function sleep(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Wrap `fetch`: repeat a request that is refused with a retryable problem, and throw a `ProblemError` for every other error.
 *
 * A request whose connection breaks is repeated only if that cannot do anything twice: if it reads, or if it has an `Idempotency-Key`.
 */
export function retryingFetch(plainFetch: (request: Request) => Promise<Response>, options: RetryOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    for (let attempt = 0; ; attempt += 1) {
      const isLast = attempt >= options.retries;
      let retryAfter: number | null = null;
      request.signal.throwIfAborted();
      try {
        const response = await plainFetch(isLast ? request : request.clone());
        if (response.ok || response.status === 304) return response;
        const error = await ProblemError.of(response);
        if (isLast || !error.retryable || (error.retryAfter ?? 0) > options.longestRetryAfter) throw error;
        retryAfter = error.retryAfter;
      } catch (error) {
        if (error instanceof ProblemError || isLast || request.signal.aborted || !isRepeatable(request)) throw error;
      }
      await sleep(delayBefore(attempt, retryAfter, options), request.signal);
    }
  };
}

function isRepeatable(request: Request): boolean {
  return request.method === "GET" || request.method === "HEAD" || request.headers.has("Idempotency-Key");
}
