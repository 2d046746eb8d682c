/** Follow jobs over one stream of events, which is resumed when it breaks. */

import { ProblemError } from "./problem.js";
import { delayBefore, sleep, type RetryOptions } from "./retry.js";
import { serverSentEvents } from "./server_sent_events.js";
import type { JobEvent } from "./types.js";

export interface FollowOptions {
  /** Aborting it ends the iteration with the signal's reason. */
  signal?: AbortSignal | null;
  /** The id of an event that an earlier iteration over the same jobs saw last. The events after it are told. */
  lastEventId?: string;
}

/** An event and its id in the stream. Give the id as `lastEventId` to go on after this event. */
export type FollowedEvent = JobEvent & { id: string };

/** The service sends a comment every 15 seconds, so a stream that is silent for longer than this is broken. */
const LONGEST_SILENCE = 45_000;

/** Open the stream of the jobs. `answer` is null if there is nothing more to tell. */
export type OpenStream = (lastEventId: string | null, signal: AbortSignal) => Promise<ReadableStream<Uint8Array<ArrayBuffer>> | null>;

/**
 * Yield the events of the jobs `ids` until all of them have ended.
 *
 * If the stream breaks, it is opened again after the last event that was received, so no event is told twice or lost.
 */
export async function* followedEvents(
  ids: readonly string[],
  open: OpenStream,
  retry: RetryOptions,
  { signal = null, lastEventId }: FollowOptions = {},
): AsyncGenerator<FollowedEvent, void, undefined> {
  const going = new Set(ids);
  let last = lastEventId ?? null;
  for (let attempt = 0; going.size > 0; attempt += 1) {
    const watch = new SilenceWatch(signal, LONGEST_SILENCE);
    try {
      const body = await open(last, watch.signal);
      if (body === null) return;
      for await (const { id, data } of serverSentEvents(watch.watched(body))) {
        attempt = 0;
        last = id;
        const event = JSON.parse(data) as JobEvent;
        if (event.event === "done") going.delete(event.job_id);
        yield { ...event, id };
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof ProblemError || attempt >= retry.retries) throw error;
    } finally {
      watch.end();
    }
    if (going.size > 0) await sleep(delayBefore(attempt, null, retry), signal);
  }
}

/** Aborts a request when nothing has come for some time. */
class SilenceWatch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | null;
  readonly #longest: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #pass = () => this.#controller.abort(this.#outer?.reason);

  constructor(outer: AbortSignal | null, longest: number) {
    this.#outer = outer;
    this.#longest = longest;
    if (outer?.aborted) this.#pass();
    outer?.addEventListener("abort", this.#pass, { once: true });
    this.#restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  watched(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const restart = () => this.#restart();
    return body.pipeThrough(
      new TransformStream({
        transform(piece, controller) {
          restart();
          controller.enqueue(piece);
        },
      }),
    );
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#pass);
    this.#controller.abort();
  }

  #restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new Error("The stream of events is silent.")), this.#longest);
  }
}
