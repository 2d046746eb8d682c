// The same call as curl, Python and JavaScript.
import type { Params } from "../service/types";

export interface Call {
  /** The address of the service, without a slash at the end. */
  service: string;
  method: string;
  /** Null for a method that needs no model. */
  model: string | null;
  /** The photo's file name; null for a method that needs no photo. */
  fileName: string | null;
  /** The file names of the photos, for a method that takes several. */
  fileNames?: readonly string[];
  params: Params;
  key: boolean;
}

/** Return the call for a shell. A list or an object is JSON in its field. */
export function curlCall({ service, method, model, fileName, fileNames = [], params, key }: Call): string {
  const fields = [
    ...(fileName ? [`image=@${fileName}`] : []),
    ...fileNames.map((each) => `images=@${each}`),
    ...(model ? [`model=${model}`] : []),
    ...Object.entries(params).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`),
  ];
  const header = key ? ` -H "Authorization: Bearer $CONVSCOPE_KEY"` : "";
  return `curl -f${header} -H 'Prefer: wait=60' -H 'Accept: image/png' \\\n${fields.map((each) => `     -F ${quoted(each)} \\\n`).join("")}     ${service}/v1/${method} -o ${method}.png`;
}

function quoted(field: string): string {
  return /^[\w=@./-]+$/.test(field) ? field : `'${field.replaceAll("'", `'\\''`)}'`;
}

export function pythonCall(call: Call): string {
  const { service, method, fileName, key } = call;
  return `import json

import httpx

service = httpx.Client(base_url=${JSON.stringify(service)}, timeout=90${key ? `,\n    headers={"Authorization": "Bearer " + KEY}` : ""})
request = ${pythonValue(request(call))}
files = {"request": (None, json.dumps(request), "application/json")}
${fileName ? `files["image"] = open(${JSON.stringify(fileName)}, "rb")\n` : ""}job = service.post("/v1/jobs", files=files, headers={"Prefer": "wait=60"}).raise_for_status().json()
print(job["state"], job["facts"], job["warnings"])
for artifact in job["artifacts"]:
    if artifact["primary"]:
        open("${method}.png", "wb").write(service.get(artifact["url"], params={"format": "png"}).content)`;
}

export function javascriptCall(call: Call): string {
  const { service, fileName, key } = call;
  return `const form = new FormData();
form.append("request", new Blob([JSON.stringify(${JSON.stringify(request(call))})], { type: "application/json" }));
${fileName ? `form.append("image", photo); // a File or a Blob\n` : ""}const answer = await fetch("${service}/v1/jobs", {
  method: "POST",
  headers: { Prefer: "wait=60"${key ? `, Authorization: \`Bearer \${key}\`` : ""} },
  body: form,
});
if (!answer.ok) throw new Error((await answer.json()).detail);
const job = await answer.json();
console.log(job.state, job.facts, job.warnings, job.artifacts.map((each) => each.url));`;
}

function request({ method, model, params }: Call): Params {
  return { method, ...(model ? { model } : {}), params };
}

function pythonValue(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value as object).map(([name, each]) => `${JSON.stringify(name)}: ${pythonValue(each)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}
