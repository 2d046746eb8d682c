// What a job has made: its pictures, and links to everything.
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addressOf } from "../service/api";
import type { Artifact, Job } from "../service/types";
import { Empty } from "./notice";

const SHOWN = 6;
const WIDEST = 720; // pixels

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
  const figure = useRef<HTMLElement>(null);
  const near = useNear(figure);
  const [height, width] = artifact.shape.slice(-3) as [number, number];
  const room = { style: { width: `${Math.min(width, WIDEST)}px`, aspectRatio: `${width} / ${height}` } };
  const words = `${artifact.name} of ${job.method}`;
  const url = addressOf(artifact.url, artifact.kind === "image" ? { width: WIDEST } : {});
  return (
    <figure ref={figure}>
      <a href={addressOf(artifact.url)} target="_blank" rel="noopener">
        {near ? <img src={url} alt={words} {...room} /> : <span class="room" role="img" aria-label={words} {...room} />}
      </a>
      <figcaption class="small">
        {artifact.name}, {height} × {width} pixels
      </figcaption>
    </figure>
  );
}

const NEAR = "300px";

/** Return whether an element has been near the part of the page that is in sight. The service draws a picture when it is first fetched. */
function useNear(element: RefObject<HTMLElement | null>): boolean {
  const [near, come] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => entries.some((each) => each.isIntersecting) && come(true), { rootMargin: NEAR });
    watch.observe(element.current!);
    return () => watch.disconnect();
  }, []);
  return near;
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
