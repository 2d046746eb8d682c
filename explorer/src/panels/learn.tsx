// Learn: a kernel slides over the photo with its arithmetic, and the cat article stage by stage.
import { KernelWalk } from "./kernel_walk";
import { useState } from "preact/hooks";
import { ARTICLE } from "../learn/article";
import { addressOf } from "../service/api";
import { runJob } from "../service/run";
import type { Job } from "../service/types";
import { photo } from "../state/photo";
import { Empty, FaultNotice } from "./notice";
import { ProgressLine } from "./progress";
import { useJob } from "./use_job";

export function LearnPanel() {
  return (
    <section class="panel learn" id="learn" aria-labelledby="learn-title">
      <h2 id="learn-title">Learn</h2>
      {photo.value ? (
        <>
          <KernelWalk />
          <Article />
        </>
      ) : (
        <Empty>Choose a photo first.</Empty>
      )}
    </section>
  );
}

function Article() {
  const [preset, choose] = useState<string | null>(null);
  const shown = photo.value!;
  const run = useJob<Job>(
    preset ? (told, signal) => runJob({ method: "sandbox", model: null, image: shown.id, params: { preset } }, told, signal, 5) : null,
    [preset, shown],
  );
  const stage = ARTICLE.find((each) => each.preset === preset);
  const place = ARTICLE.findIndex((each) => each.preset === preset);
  const picture = run.value?.artifacts.find((each) => each.primary);
  return (
    <div class="article">
      <h3>The cat article, stage by stage</h3>
      <p class="small">
        Each stage sends your photo through random kernels, as in the article “How convolutional neural networks see the cat”. No model is
        needed.
      </p>
      <div class="article-columns">
        <ol class="stages">
          {ARTICLE.map((each, at) => (
            <li key={each.preset}>
              <button type="button" aria-pressed={each.preset === preset} onClick={() => choose(each.preset)}>
                {at + 1}. {each.title}
              </button>
            </li>
          ))}
        </ol>
        <div>
          {stage ? <p>{stage.words}</p> : <Empty>Begin with the first stage.</Empty>}
          <ProgressLine step={run.step} />
          <FaultNotice problem={run.fault} />
          {picture && stage && <img src={addressOf(picture.url, { width: 900 })} alt={`The photo after each stage: ${stage.title}`} />}
          {stage && place < ARTICLE.length - 1 && (
            <p>
              <button type="button" class="strong" onClick={() => choose(ARTICLE[place + 1]!.preset)}>Next: {ARTICLE[place + 1]!.title}</button>
            </p>
          )}
        </div>
      </div>
    </div>
  );
}
