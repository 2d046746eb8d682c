// What a job says about itself.
import type { Job } from "../service/types";
import { inWords } from "../heat/scale";

export function JobFacts({ job }: { job: Job }) {
  const rows: [string, string][] = [
    ["Method", job.method],
    ...(job.model ? ([["Model", job.model]] as [string, string][]) : []),
    ["State", job.cached ? `${job.state}, from an earlier result` : job.state],
    ...Object.entries(job.facts ?? {}).map(([name, value]) => [name.replaceAll("_", " "), inLine(value)] as [string, string]),
    ["Timings", Object.entries(job.timings ?? {}).map(([name, ms]) => `${name} ${ms} ms`).join(", ") || "none yet"],
    ["Kept until", job.expires_at ? new Date(job.expires_at).toLocaleString() : "it has not ended"],
  ];
  return (
    <>
      <dl class="facts">
        {rows.filter(([, value]) => value !== "").map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}
      </dl>
      <details>
        <summary>All parameters, all facts and the origin of the result</summary>
        <pre tabIndex={0} role="group" aria-label="Parameters and origin"><code>{JSON.stringify({ params: job.params, facts: job.facts, provenance: job.provenance }, null, 1)}</code></pre>
      </details>
    </>
  );
}

/** Return a fact as text; empty if it is an object or a list of objects, which the details below show whole. */
function inLine(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : inWords(value);
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return value.map(inLine).join(", ");
  return "";
}
