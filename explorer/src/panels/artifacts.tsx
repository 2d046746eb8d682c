// What a job has made: its pictures, and links to everything.
import { useState } from "preact/hooks";
import { addressOf } from "../service/api";
import type { Artifact, Job } from "../service/types";
import { Empty } from "./notice";

const SHOWN = 6;

export function Artifacts({ job }: { job: Job }) {
  const [all, showAll] = useState(false);
  const pictures = job.artifacts.filter((each) => each.kind === "image" || each.kind === "animation");
  const first = [...pictures].sort((a, b) => Number(b.primary) - Number(a.primary));
  const shown = all ? first : first.slice(0, SHOWN);
  return (
    <>
      {shown.map((each) => <Picture key={each.name} job={job} artifact={each} />)}
      {!pictures.length && <Empty>This method makes no picture. Its arrays and documents are below.</Empty>}
      {first.length > shown.length && <button type="button" onClick={() => showAll(true)}>Show all {first.length} pictures</button>}
    </>
  );
}

function Picture({ job, artifact }: { job: Job; artifact: Artifact }) {
  const url = addressOf(artifact.url, artifact.kind === "image" ? { width: 720 } : {});
  return (
    <figure>
      <a href={addressOf(artifact.url)} target="_blank" rel="noopener">
        <img src={url} alt={`${artifact.name} of ${job.method}`} loading="lazy" />
      </a>
      <figcaption class="small">
        {artifact.name}
        {artifact.shape ? `, ${artifact.shape.slice(0, 2).join(" × ")} pixels` : ""}
      </figcaption>
    </figure>
  );
}

const FORMATS: Record<string, string[]> = { image: ["png", "webp", "jpeg"], array: ["npy", "npz", "json"] };

export function Downloads({ job }: { job: Job }) {
  return (
    <ul class="downloads">
      {job.artifacts.map((each) => (
        <li key={each.name}>
          <span>{each.name}</span>{" "}
          {(FORMATS[each.kind] ?? [""]).map((format) => (
            <a key={format} href={addressOf(each.url, format ? { format } : {})} download={`${job.method}-${each.name}${format && `.${format}`}`}>
              {format || "file"}
              <span class="hidden-words"> of {each.name}</span>
            </a>
          ))}
        </li>
      ))}
    </ul>
  );
}
