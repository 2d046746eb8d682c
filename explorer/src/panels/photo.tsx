// The photo and the model: drop, paste or choose a file, take a sample, search the models.
import { useEffect, useRef, useState } from "preact/hooks";
import { SAMPLES } from "../samples";
import type { ModelEntry } from "../service/types";
import { model, modelFault, modelName, models } from "../state/catalog";
import { frameFor } from "../state/explain";
import { photo, photoBusy, photoFault, takeFile, takeNamed } from "../state/photo";
import { changeModel, changePhoto } from "../state/session";
import { onPhoto } from "../heat/frame";
import { FaultNotice } from "./notice";

export function PhotoPanel() {
  return (
    <section class="panel photo" aria-labelledby="photo-title">
      <h2 id="photo-title">Photo</h2>
      <Drop />
      <FaultNotice problem={photoFault.value} />
      <ul class="samples" aria-label="Samples">
        {SAMPLES.map((sample) => (
          <li key={sample.name}>
            <button
              type="button"
              aria-pressed={photo.value?.name === `sample:${sample.name}`}
              onClick={() => void changePhoto(() => takeNamed(`sample:${sample.name}`))}
            >
              <img src={sample.file} alt={sample.title} />
            </button>
          </li>
        ))}
      </ul>
      <ModelMenu />
      <FaultNotice problem={modelFault.value} />
      <SeenFrame />
    </section>
  );
}

function Drop() {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (files: FileList | undefined | null) => {
    const file = files?.[0];
    if (file) void changePhoto(() => takeFile(file));
  };
  useEffect(() => {
    const paste = (event: ClipboardEvent) => take(event.clipboardData?.files);
    document.addEventListener("paste", paste);
    return () => document.removeEventListener("paste", paste);
  }, []);
  return (
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <p>Drop or paste a photo, or</p>
      <button type="button" onClick={() => input.current?.click()} aria-busy={photoBusy.value}>
        {photoBusy.value ? "Uploading…" : "Choose a file"}
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        aria-label="A photo file"
        class="hidden"
        tabIndex={-1}
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

function ModelMenu() {
  const [query, setQuery] = useState("");
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = models.value.filter((each) => words.every((word) => `${each.name} ${each.title}`.toLowerCase().includes(word)));
  return (
    <div class="models">
      <label for="model-search">Model</label>
      <input
        id="model-search"
        type="search"
        placeholder={`Search ${models.value.length} models`}
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
      />
      <ul class="menu" aria-label="Models" tabIndex={0}>
        {found.map((each) => (
          <li key={each.name}>
            <button
              type="button"
              aria-pressed={each.name === modelName.value}
              title={each.title ?? each.name}
              onClick={() => changeModel(each.name)}
            >
              <span>{each.name}</span>{" "}
              <span class="small">{stateOf(each)}</span>
            </button>
          </li>
        ))}
      </ul>
      {!found.length && models.value.length > 0 && <p class="empty">No model has “{query}” in its name. Search for another word.</p>}
    </div>
  );
}

function stateOf(each: ModelEntry): string {
  if (each.state === "unusable") return "cannot be used";
  return each.loaded > 0 ? "loaded" : each.source === "keras_applications" ? "not loaded" : "";
}

function SeenFrame() {
  const [shown, entry] = [photo.value, model.value];
  if (!shown || !entry?.input) return null;
  const frame = onPhoto(frameFor(shown), shown.width, shown.height);
  const share = Math.round((100 * frame.width * frame.height) / (shown.width * shown.height));
  const size = entry.input.height && entry.input.width ? `${entry.input.height} × ${entry.input.width}` : "any";
  return (
    <figure class="frame">
      <Framed />
      <figcaption class="small">
        The model sees {share === 100 ? "the whole photo" : `${share} % of the photo, the bright part`}. Its input has {size} pixels
        {size === "any" ? " on a side" : ""} (fit “{entry.preprocessing?.fit ?? "stretch"}”).
      </figcaption>
    </figure>
  );
}

function Framed() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = photo.value!;
  const frame = onPhoto(frameFor(shown), shown.width, shown.height);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const zoom = 240 / shown.width;
    [canvas.current!.width, canvas.current!.height] = [240, Math.round(shown.height * zoom)];
    context.drawImage(shown.bitmap, 0, 0, canvas.current!.width, canvas.current!.height);
    context.fillStyle = "rgb(0 0 0 / 0.6)";
    const hole = new Path2D();
    hole.rect(0, 0, canvas.current!.width, canvas.current!.height);
    hole.rect(frame.left * zoom, frame.top * zoom, frame.width * zoom, frame.height * zoom);
    context.fill(hole, "evenodd");
  }, [shown, frame.left, frame.top, frame.width, frame.height]);
  return <canvas ref={canvas} role="img" aria-label={`${shown.title}, with the part that the model sees`} />;
}
