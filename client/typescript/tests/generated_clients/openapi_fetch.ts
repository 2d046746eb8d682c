/**
 * A program on openapi-fetch and the types that openapi-typescript makes from the OpenAPI document. It is type-checked with
 * `tsc --strict` and run. A line below `@ts-expect-error` must be wrong, so the check fails if a type is too wide.
 */

import createClient from "openapi-fetch";

import { equal, photo, url } from "./given.js";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

const client = createClient<paths>({ baseUrl: url });
const model = "efficientnet_lite0";

function form(body: unknown): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(body as object)) data.set(name, value instanceof Blob ? value : String(value));
  return data;
}
const image = photo as Blob & string; // openapi-typescript writes a file as a string

// The picture of a one-line call is a picture, and its JSON is a job that has succeeded.
const picture = await client.POST("/v1/grad_cam", { body: { model, image, class_index: 285 }, bodySerializer: form, parseAs: "blob" });
const bytes: Blob | undefined = picture.data;
equal(await bytes?.slice(1, 4).text(), "PNG");
const called = await client.POST("/v1/grad_cam.json", { body: { model, image, class_index: 285 }, bodySerializer: form });
if (called.data?.state !== "succeeded") throw new Error(`the job is ${called.data?.state}`);
equal([called.data.facts.class_index, called.data.facts.label], [285, "Egyptian cat"]);
equal(called.data.artifacts.find((artifact) => artifact.name === "map")?.data?.shape, [7, 7]);
const name: Schemas["OcclusionArtifact"]["name"] = "heatmap";
// @ts-expect-error occlusion makes no chart
const wrong: Schemas["OcclusionArtifact"]["name"] = "chart";
equal([name, wrong].length, 2);

// Every parameter that has a default may be left out.
const uploaded = await client.POST("/v1/images", { body: { image }, bodySerializer: form });
const id = uploaded.data!.id;
const submitted = await client.POST("/v1/jobs", { body: { method: "grad_cam", model, image: { id } } });
// @ts-expect-error the parameter has another name
await client.POST("/v1/jobs", { body: { method: "grad_cam", model, image: { id }, params: { class_idx: 3 } } });

// The kinds of events are told apart by their own field.
const path = { job_id: submitted.data!.id };
const slow = await client.POST("/v1/jobs", { body: { method: "rise", model, image: { id }, params: { masks: 256, seed: 12 } } });
const stream = await client.GET("/v1/jobs/{job_id}/events", { params: { path: { job_id: slow.data!.id } }, parseAs: "text" });
const lines = (stream.data as string | undefined)?.split("\n").filter((line) => line.startsWith("data: ")) ?? [];
const events = lines.map((line) => JSON.parse(line.slice(6)) as Schemas["JobEvent"]);
equal(events.map((event) => (event.event === "done" ? event.state : event.job_id === slow.data!.id)).at(-1), "succeeded");
equal(events.some((event) => event.event === "progress" && event.step === event.total), true);

// The state of a job tells whether there are facts, and the method tells which.
function described(job: Schemas["Job"]): string {
  if (job.state === "failed") return `${job.error.code}: ${job.error.detail}`;
  if (job.state !== "succeeded") return job.state;
  if (job.method === "grad_cam") return `${job.facts.label} at ${job.facts.layer}`;
  return job.provenance.device;
}
const job = await client.GET("/v1/jobs/{job_id}", { params: { path, query: { wait: 30 } } });
equal(described(job.data as Schemas["Job"]).startsWith("Egyptian cat at "), true);

// An error is a problem with a code.
const refused = await client.POST("/v1/jobs", { body: { method: "grad_cam", model, image: { id }, params: { layer: "nowhere" } } });
equal(refused.error?.code, "unknown_layer");
// @ts-expect-error there is no such code
equal(refused.error?.code === "unknown_leyer", false);
console.log("every answer was as its type says");
