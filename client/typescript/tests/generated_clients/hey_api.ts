/**
 * A program on the client that @hey-api/openapi-ts makes from the OpenAPI document. It is type-checked with `tsc --strict` and run.
 * A line below `@ts-expect-error` must be wrong, so the check fails if a type is too wide.
 */

import { createClient } from "./hey/client/index.js";
import { followEvents, getJob, jobEvents, runGradCam, runGradCamJson, runSandbox, submitJob, uploadImage } from "./hey/sdk.gen.js";
import type { GradCamArtifact, Job, OcclusionArtifact } from "./hey/types.gen.js";
import { equal, photo, url } from "./given.js";

const client = createClient({ baseUrl: url });
const model = "efficientnet_lite0";

// The picture of a one-line call is a picture, and its JSON is a job that has succeeded.
const picture = await runGradCam({ client, body: { model, image: photo, class_index: 285 }, throwOnError: true });
if (!(picture.data instanceof Blob)) throw new Error("the answer is a job, although the call does not prefer respond-async");
equal((await picture.data.slice(1, 4).text()), "PNG");
const called = await runGradCamJson({ client, body: { model, image: photo, class_index: 285 }, throwOnError: true });
if (called.data.state !== "succeeded") throw new Error(`the job is ${called.data.state}`);
equal([called.data.facts.class_index, called.data.facts.label], [285, "Egyptian cat"]);
const map = called.data.artifacts.find((artifact) => artifact.name === "map");
equal(map?.data?.shape, [7, 7]);
const name: GradCamArtifact["name"] = "overlay";
const occlusion: OcclusionArtifact["name"] = "heatmap";
// @ts-expect-error occlusion makes no chart
const wrong: OcclusionArtifact["name"] = "chart";
equal([name, occlusion, wrong].length, 3);

// Every parameter that has a default may be left out.
const id = (await uploadImage({ client, body: { image: photo }, throwOnError: true })).data.id;
const submitted = await submitJob({ client, body: { method: "grad_cam", model, image: { id } }, throwOnError: true });
// @ts-expect-error the parameter has another name
await submitJob({ client, body: { method: "grad_cam", model, image: { id }, params: { class_idx: 3 } } });
await runSandbox({ client, body: { image: photo }, throwOnError: true });

// The kinds of events are told apart by their own field.
const slow = await submitJob({ client, body: { method: "rise", model, image: { id }, params: { masks: 256, seed: 11 } }, throwOnError: true });
let steps = 0;
let ended = "";
const { stream } = await jobEvents({ client, path: { job_id: slow.data.id } });
for await (const event of stream) {
  if (event.event === "progress") steps = Math.max(steps, event.step / event.total);
  else if (event.event === "preview") equal(event.image.startsWith("data:image/png;base64,"), true);
  else if (event.event === "done") {
    ended = event.state;
    break;
  } else equal(["queued", "running"].includes(event.state), true);
}
equal([steps, ended], [1, "succeeded"]);
const many = await followEvents({ client, query: { jobs: slow.data.id } });
for await (const event of many.stream) {
  if ("job_id" in event) equal(event.job_id, slow.data.id);
  if (event.event === "done") break;
}

// The state of a job tells whether there are facts, and the method tells which.
function described(job: Job): string {
  if (job.state === "failed") return `${job.error.code}: ${job.error.detail}`;
  if (job.state !== "succeeded") return job.state;
  if (job.method === "grad_cam") return `${job.facts.label} at ${job.facts.layer}`;
  return job.provenance.device;
}
const job = (await getJob({ client, path: { job_id: submitted.data.id }, query: { wait: 30 }, throwOnError: true })).data;
equal(described(job).startsWith("Egyptian cat at "), true);

// An error is a problem with a code.
const refused = await submitJob({ client, body: { method: "grad_cam", model, image: { id }, params: { layer: "nowhere" } } });
equal(refused.error?.code, "unknown_layer");
// @ts-expect-error there is no such code
equal(refused.error?.code === "unknown_leyer", false);
console.log("every answer was as its type says");
