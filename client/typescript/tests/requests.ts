/** What is sent, what is sent again, and what is not. */

import { delayBefore } from "../src/retry.js";
import { secondsOf } from "../src/problem.js";
import { DEFAULT_RETRY, ProblemError, verifyWebhook, WebhookVerificationError } from "../src/index.js";
import { check, equal, MODEL, pathOf, problemAnswer, recorded, rejection, type Test } from "./checks.js";

const isSubmission = (request: Request) => request.method === "POST" && pathOf(request) === "/v1/jobs";

export const requests: Record<string, Test> = {
  "a file is sent once, also by callers at the same time": async ({ url, photo }) => {
    const { client, requests } = recorded(url);
    const copy = new Blob([await photo.arrayBuffer()]);
    const ids = await Promise.all([client.uploadOnce(photo), client.uploadOnce(copy), client.uploadOnce(photo)]);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await photo.arrayBuffer()));
    const id = `img_${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    equal(ids, [id, id, id]);
    await client.run("predict", { model: MODEL, image: photo });
    equal(requests.filter((request) => pathOf(request) === "/v1/images").length, 1, "uploads");
  },

  "an upload that the service has lost is sent again": async ({ url, photo }) => {
    const { client, requests } = recorded(url);
    const own = new Blob([photo, new Uint8Array([1, 2, 3])]); // a file that no other test has
    const id = await client.uploadOnce(own);
    await client.api.DELETE("/v1/images/{image_id}", { params: { path: { image_id: id } } });
    const job = await client.run("predict", { model: MODEL, image: own });
    equal(job.state, "succeeded");
    equal(requests.filter((request) => pathOf(request) === "/v1/images").length, 2, "uploads");
  },

  "files in parameters are uploaded, also inside a target": async ({ url, photo }) => {
    const bodies: Promise<{ params: Record<string, unknown> }>[] = [];
    const { client, requests } = recorded(url, (request) => {
      if (isSubmission(request)) bodies.push(request.clone().json() as Promise<{ params: Record<string, unknown> }>);
      return null;
    });
    const other = new Blob([photo, new Uint8Array([4])]);
    const bytes = new Uint8Array(await new Blob([photo, new Uint8Array([5])]).arrayBuffer());
    await rejection(client.submit("intervene", { model: MODEL, image: photo, action: "swap", other_image: other, layer: "no_such_layer" }));
    await rejection(client.submit("grad_cam", { model: MODEL, image: photo, layer: "no_such_layer", target: { similarity: { image: bytes } } }));
    const region = { class: 1, where: { mask: other } };
    await rejection(client.submit("grad_cam", { model: MODEL, image: photo, layer: "no_such_layer", target: { region } }));
    const sent = (await Promise.all(bodies)).map((body) => body.params);
    const [otherId, bytesId] = [await client.uploadOnce(other), await client.uploadOnce(new Blob([bytes]))];
    equal(sent[0]?.["other_image"], otherId);
    equal(sent[1]?.["target"], { similarity: { image: bytesId } });
    equal(sent[2]?.["target"], { region: { class: 1, where: { mask: otherId } } });
    equal(requests.filter((request) => pathOf(request) === "/v1/images").length, 3, "uploads");
  },

  "only a retryable problem is sent again, after Retry-After": async ({ url, photo }) => {
    const image = await recorded(url).client.uploadOnce(photo);
    const busy = (request: Request, number: number) =>
      isSubmission(request) && number === 1 ? problemAnswer("queue_full", 503, true, { "Retry-After": "1" }) : null;
    const before = performance.now();
    const { client, requests } = recorded(url, busy);
    equal((await client.run("predict", { model: MODEL, image })).state, "succeeded");
    check(performance.now() - before >= 1000, "the client waits as long as the service says");
    const keys = requests.filter(isSubmission).map((request) => request.headers.get("Idempotency-Key"));
    equal([keys.length, keys[0] === keys[1]], [2, true], "submissions");

    const never = recorded(url, () => problemAnswer("storage_full", 503, false));
    check((await rejection(never.client.submit("predict", { model: MODEL, image }))) instanceof ProblemError, "it is a ProblemError");
    equal(never.requests.length, 1, "requests");

    const late = recorded(url, () => problemAnswer("rate_limited", 429, true, { "Retry-After": "900" }));
    const error = await rejection(late.client.submit("predict", { model: MODEL, image }));
    check(error instanceof ProblemError && error.retryAfter === 900, "a Retry-After that is too long is told");
    equal(late.requests.length, 1, "requests");

    const proxy = recorded(url, () => Promise.resolve(new Response("<h1>Bad gateway</h1>", { status: 502 })));
    const strange = await rejection(proxy.client.job("x"));
    check(strange instanceof ProblemError && strange.code === null && strange.status === 502, String(strange));
  },

  "a model is sent as it is, and what is wrong with it is told": async ({ url }) => {
    const { client, requests } = recorded(url);
    const file = new Blob([new Uint8Array([0x50, 0x4b, 3, 4]), "this is no zip archive"], { type: "application/zip" });
    const refused = await rejection(client.uploadModel("from-typescript", file));
    check(refused instanceof ProblemError && refused.code === "model_load_failed", String(refused));
    equal([requests[0]?.method, requests[0] && pathOf(requests[0])], ["PUT", "/v1/models/from-typescript"], "request");
    const absent = await rejection(client.deleteModel("from-typescript"));
    check(absent instanceof ProblemError && absent.code === "unknown_model", String(absent));
    const operators = await rejection(client.deleteModel(MODEL));
    check(operators instanceof ProblemError && operators.code === "model_not_uploaded", String(operators));
  },

  "a broken connection makes no second job": async ({ url, photo }) => {
    const image = await recorded(url).client.uploadOnce(photo);
    const ids: string[] = [];
    const breaks = (request: Request, number: number) => {
      if (number > 1) return null;
      return fetch(request).then(async (response) => {
        ids.push(((await response.json()) as { id: string }).id);
        throw new TypeError("The connection broke after the service had answered.");
      });
    };
    const { client, requests } = recorded(url, breaks);
    const job = await client.submit("predict", { model: MODEL, image });
    equal([requests.length, job.id], [2, ids[0]], "the same job is answered");
    const broken = recorded(url, () => Promise.reject(new TypeError("no connection")));
    await rejection(broken.client.cancel("x"));
    equal(broken.requests.length, 1, "a request that changes something and has no key is not repeated");
  },

  "an abort ends the wait before a repetition": async ({ url }) => {
    const { client } = recorded(url, () => problemAnswer("queue_full", 503, true, { "Retry-After": "60" }));
    const before = performance.now();
    const error = await rejection(client.job("x", { signal: AbortSignal.timeout(100) }));
    check(error instanceof DOMException && performance.now() - before < 30_000, String(error));
  },

  "the key goes with every request": async ({ url }) => {
    const { client, requests } = recorded(url, () => problemAnswer("unauthenticated", 401, false), { key: "cs_secret" });
    await rejection(client.job("x"));
    await rejection(client.uploadOnce(new Blob(["x"])));
    await rejection(client.follow("x").next());
    equal(requests.map((request) => request.headers.get("Authorization")), Array(3).fill("Bearer cs_secret"), "headers");
  },

  "delays double, have a longest value and a random share": async () => {
    const delays = (random: number) => [0, 1, 2, 10].map((attempt) => delayBefore(attempt, null, DEFAULT_RETRY, () => random));
    equal(delays(0), [500, 1000, 2000, 15000]);
    equal(delays(1), [625, 1250, 2500, 18750]);
    equal(delayBefore(0, 7, DEFAULT_RETRY, () => 0), 7000, "Retry-After");
    const now = Date.UTC(2026, 0, 1, 0, 0, 0);
    equal([secondsOf("7", now), secondsOf("Thu, 01 Jan 2026 00:01:30 GMT", now), secondsOf("soon", now), secondsOf(null, now)], [7, 90, null, null]);
  },

  "a webhook is trusted only if its signature and its time are right": async ({ webhook: { body, headers, secret, time } }) => {
    const now = time * 1000;
    equal(await verifyWebhook(body, headers, secret, { now }), JSON.parse(body), "payload");
    equal(await verifyWebhook(new TextEncoder().encode(body), new Headers(headers), secret, { now: now + 299_000 }), JSON.parse(body));
    const rotated = { ...headers, "webhook-signature": `v1,${btoa("another")} v2,x ${headers["webhook-signature"]}` };
    equal(await verifyWebhook(body, rotated, secret, { now }), JSON.parse(body), "one of several signatures");
    const wrong: [string, Record<string, string>, string, number][] = [
      [body.replace("succeeded", "failed"), headers, secret, now],
      [body, { ...headers, "webhook-id": "another" }, secret, now],
      [body, { ...headers, "webhook-timestamp": String(time + 1) }, secret, now],
      [body, headers, `whsec_${btoa("another secret of some length")}`, now],
      [body, headers, secret, now + 301_000],
      [body, headers, secret, now - 301_000],
      [body, { ...headers, "webhook-signature": "v1,not base64!" }, secret, now],
      [body, { "webhook-id": "x", "webhook-timestamp": String(time) }, secret, now],
    ];
    for (const [text, sent, key, at] of wrong) {
      const error = await rejection(verifyWebhook(text, sent, key, { now: at }));
      check(error instanceof WebhookVerificationError, String(error));
    }
  },
};
