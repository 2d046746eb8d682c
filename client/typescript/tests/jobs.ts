/** Run, submit, cancel and abort jobs on the real service. */

import { hasEnded, JobNotSucceededError, ProblemError, type JobOf } from "../src/index.js";
import { check, equal, MODEL, recorded, rejection, type Test } from "./checks.js";

/** It takes minutes unless it is canceled. */
const LONG = { model: MODEL, masks: 8000 } as const;

export const jobs: Record<string, Test> = {
  "run gives facts, pictures and numbers": async ({ url, photo }) => {
    const { client } = recorded(url);
    const job = await client.run("grad_cam", { model: MODEL, image: photo, class_index: "Egyptian cat" });
    equal([job.state, job.facts.class_index, job.facts.label], ["succeeded", 285, "Egyptian cat"]);
    const overlay = await client.artifact(job, "overlay");
    equal([...new Uint8Array(await overlay.slice(1, 4).arrayBuffer())], [0x50, 0x4e, 0x47], "signature of PNG");
    const { shape, dtype, data } = await client.array(job, "map");
    equal([shape, dtype, data.length], [[7, 7], "float32", 49]);
    check(data instanceof Float32Array && data.every(Number.isFinite) && Math.max(...data) > 0, "the map has evidence for the class");
    const thumbnail = await fetch(client.artifactUrl(job, "overlay", { width: 64, format: "jpeg" }));
    equal([thumbnail.status, thumbnail.headers.get("Content-Type")], [200, "image/jpeg"]);
    let thrown: unknown;
    try {
      client.artifactUrl(job, "map.nowhere");
    } catch (error) {
      thrown = error;
    }
    check(thrown instanceof RangeError && thrown.message.includes("It has: overlay"), "a missing artifact is named");
  },

  "a photo may be bytes, a data: address or the id of an upload": async ({ url, photo }) => {
    const { client } = recorded(url);
    const bytes = await photo.arrayBuffer();
    const address = `data:image/jpeg;base64,${btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""))}`;
    const id = await client.uploadOnce(address);
    const classes = [];
    for (const image of [new Uint8Array(bytes), bytes, address, id, { id }]) {
      const job = await client.run("predict", { model: MODEL, image });
      classes.push(job.facts.predictions[0]?.label);
    }
    equal(new Set(classes).size, 1, "answers");
    equal(classes[0], "Egyptian cat");
    check((await rejection(client.run("predict", { model: MODEL, image: "cat.jpg" }))) instanceof TypeError, "a path is no image");
  },

  "files in sets of photos are uploaded once, and ids stay": async ({ url, photo }) => {
    const { client, requests } = recorded(url);
    const other = new File([photo, "."], "other.jpg", { type: photo.type });
    const id = await client.uploadOnce(photo);
    const before = requests.length;
    const job = await client.submit("tcav", {
      model: MODEL,
      images: [photo],
      class_index: 285,
      concepts: [{ name: "own", images: [photo, other] }],
      random_sets: [{ name: "random", images: [id, new Uint8Array(await other.arrayBuffer())] }],
    });
    await client.cancel(job);
    const imagesOf = (sets: unknown) => (sets as { images: string[] }[])[0]?.images ?? [];
    const [first, second] = imagesOf(job.params.concepts);
    equal(first, id, "the photo");
    equal(imagesOf(job.params.random_sets), [id, second], "the random set");
    equal(requests.slice(before).filter((request) => request.url.endsWith("/v1/images")).length, 1, "uploads");
  },

  "run without an image tells its events as they come": async ({ url }) => {
    const { client } = recorded(url);
    const events: string[] = [];
    const job = await client.run(
      "filters",
      { model: MODEL, layer: "head_relu", channels: [5], steps: 40, size: 64 },
      { fresh: true, onEvent: (event) => events.push(event.event) },
    );
    equal([events[0], events.at(-1)], ["status", "done"]);
    check(events.includes("progress"), `progress is told: ${events.join(" ")}`);
    equal(job.facts.images.length, 1, "images");
  },

  "an identical job is answered from the result, unless it must be fresh": async ({ url, photo }) => {
    const { client } = recorded(url);
    const input = { model: MODEL, image: photo, class_index: 281 } as const;
    await client.run("grad_cam", input);
    equal((await client.run("grad_cam", input)).cached, true, "cached");
    equal((await client.run("grad_cam", input, { fresh: true })).cached, false, "fresh");
  },

  "a refused submission is a ProblemError with its code and is sent once": async ({ url, photo }) => {
    const { client, requests } = recorded(url);
    const error = await rejection(client.run("grad_cam", { model: MODEL, image: photo, layer: "head_rely" }));
    check(error instanceof ProblemError, String(error));
    equal([error.code, error.status, error.retryable], ["unknown_layer", 422, false]);
    check(error.problem?.errors?.[0]?.nearest?.includes("head_relu"), "near names are told");
    equal(requests.filter((request) => request.url.endsWith("/v1/jobs")).length, 1, "submissions");
    const missing = await rejection(client.job("nothing"));
    check(missing instanceof ProblemError && missing.code === "not_found", String(missing));
  },

  "a job that ends without a result is an error that holds the job": async ({ url, photo }) => {
    const { client } = recorded(url);
    let id = "";
    const running = client.run("rise", { ...LONG, image: photo, seed: 1 }, { onEvent: (event) => (id = event.job_id) });
    const error = rejection(running);
    while (id === "") await new Promise((resolve) => setTimeout(resolve, 20));
    await client.cancel(id);
    const thrown = await error;
    check(thrown instanceof JobNotSucceededError, String(thrown));
    equal([thrown.job.state, thrown.code, thrown.retryable], ["canceled", null, false]);
  },

  "an abort ends run and cancels the job": async ({ url, photo }) => {
    const { client } = recorded(url);
    const controller = new AbortController();
    const reason = new Error("enough");
    let id = "";
    const onEvent = (event: { job_id: string }) => {
      id = event.job_id;
      controller.abort(reason);
    };
    const error = await rejection(client.run("rise", { ...LONG, image: photo, seed: 2 }, { signal: controller.signal, onEvent }));
    equal(error === reason, true, "the reason is thrown");
    equal((await client.wait(id)).state, "canceled");
  },

  "an abort ends a long poll, and before the start nothing is sent": async ({ url, photo }) => {
    const { client, requests } = recorded(url);
    const job: JobOf<"rise"> = await client.submit("rise", { ...LONG, image: photo, seed: 3 });
    equal(hasEnded(job), false, "ended");
    const signal = AbortSignal.timeout(150);
    const error = await rejection(client.wait(job, { signal }));
    check(error instanceof DOMException && error.name === "TimeoutError", String(error));
    await client.cancel(job);
    const sent = requests.length;
    await rejection(client.submit("predict", { model: MODEL, image: await client.uploadOnce(photo) }, { signal: AbortSignal.abort() }));
    equal(requests.length, sent, "requests");
    await client.delete(job);
    const gone = await rejection(client.job(job));
    check(gone instanceof ProblemError && gone.code === "not_found", String(gone));
  },
};
