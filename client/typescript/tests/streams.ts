/** Follow jobs over streams that break, and read streams of every form. */

import { serverSentEvents } from "../src/server_sent_events.js";
import { ProblemError, type FollowedEvent } from "../src/index.js";
import { check, equal, MODEL, pathOf, recorded, rejection, type Test } from "./checks.js";

const EVENTS = "/v1/events";

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const event of events) found.push(event);
  return found;
}

/** Let `bytes` bytes of an answer through, and break it then. */
function cut(response: Response, bytes: number): Response {
  let left = bytes;
  const shortened = response.body!.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        controller.enqueue(piece.slice(0, left));
        left -= piece.length;
        if (left <= 0) controller.error(new TypeError("The connection broke."));
      },
    }),
  );
  return new Response(shortened, { status: response.status, headers: response.headers });
}

export const streams: Record<string, Test> = {
  "many jobs share one stream": async ({ url, photo }) => {
    const { client, requests } = recorded(url);
    const submitted = await Promise.all(
      Array.from({ length: 8 }, (_, index) => client.submit("grad_cam", { model: MODEL, image: photo, class_index: 300 + index })),
    );
    const events = await all(client.follow(submitted));
    const ended = events.filter((event) => event.event === "done");
    equal(ended.map((event) => event.job_id).sort(), submitted.map((job) => job.id).sort(), "jobs that ended");
    equal(ended.every((event) => event.state === "succeeded"), true, "all succeeded");
    equal(requests.filter((request) => pathOf(request).startsWith(EVENTS)).length, 1, "streams");
  },

  "a stream that breaks goes on after the last event": async ({ url, photo }) => {
    const job = await recorded(url).client.run("rise", { model: MODEL, image: photo, masks: 256, seed: 4 }, { fresh: true });
    const whole = await all(recorded(url).client.follow(job));
    check(whole.length > 3, `the job told ${whole.length} events`);
    for (const bytes of [1, 150, 700]) {
      const breaks = (request: Request, number: number) => (number === 1 ? fetch(request).then((response) => cut(response, bytes)) : null);
      const { client, requests } = recorded(url, breaks);
      equal(await all(client.follow(job)), whole, `events after a break at byte ${bytes}`);
      equal(requests.length, 2, "streams");
    }
    const late = whole.at(-2) as FollowedEvent;
    equal(await all(recorded(url).client.follow(job, { lastEventId: late.id })), [whole.at(-1)], "events after the last but one");
  },

  "the id of the last event goes with the next request, and nothing follows the end": async ({ url, photo }) => {
    const breaks = (request: Request, number: number) => (number === 1 ? fetch(request).then((response) => cut(response, 400)) : null);
    const { client, requests } = recorded(url, breaks);
    const job = await recorded(url).client.run("predict", { model: MODEL, image: photo }, { fresh: true });
    const events = await all(client.follow(job.id));
    check(requests.slice(1).every((request) => /^\d+$/.test(request.headers.get("Last-Event-ID") ?? "")), "Last-Event-ID is sent");
    equal(await all(client.follow(job, { lastEventId: events.at(-1)!.id })), [], "events after the end");
  },

  "an abort ends a stream at once, and an unknown job is a problem": async ({ url, photo }) => {
    const { client } = recorded(url);
    const job = await client.submit("rise", { model: MODEL, image: photo, masks: 8000, seed: 5 });
    const controller = new AbortController();
    const reason = new Error("enough");
    const follow = async () => {
      for await (const event of client.follow(job, { signal: controller.signal })) if (event.event === "status") controller.abort(reason);
    };
    equal((await rejection(follow())) === reason, true, "the reason is thrown");
    await client.cancel(job);
    const error = await rejection(all(client.follow("nothing")));
    check(error instanceof ProblemError && error.code === "not_found", String(error));
  },

  "a consumer that stops closes the stream": async ({ url, photo }) => {
    const { client, requests } = recorded(url);
    const job = await client.submit("rise", { model: MODEL, image: photo, masks: 8000, seed: 6 });
    for await (const event of client.follow(job)) if (event.event === "status") break;
    equal(requests.at(-1)!.signal.aborted, true, "the request is aborted");
    await client.cancel(job);
  },

  "a service that cannot be reached is given up after the repetitions": async () => {
    let tries = 0;
    const fails = () => {
      tries += 1;
      return Promise.reject(new TypeError("no connection"));
    };
    const { client } = recorded("http://127.0.0.1:9", fails, { retry: { retries: 2, firstDelay: 1, longestDelay: 1 } });
    check((await rejection(client.job("x"))) instanceof TypeError, "the error of fetch is thrown");
    equal(tries, 3, "tries");
  },

  "streams are read as the standard says": async () => {
    const text = ": a comment\r\nid: 1\r\ndata: a\r\ndata:b\n\nevent: x\rdata:  two\r\rid\ndata\n\n: ping\n\nid: 4\ndata: ä€😀\n\ndata: cut";
    const bytes = new TextEncoder().encode(text);
    const expected = [
      { id: "1", data: "a\nb" },
      { id: "1", data: " two" },
      { id: "", data: "" },
      { id: "4", data: "ä€😀" },
    ];
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      });
      equal(await all(serverSentEvents(body)), expected, `events in pieces of ${size}`);
    }
  },
};
