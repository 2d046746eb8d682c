// The answer: the top classes. A click on a class explains it.
import { useEffect, useState } from "preact/hooks";
import { searchLabels } from "../service/api";
import type { Prediction } from "../service/types";
import { model, modelName } from "../state/catalog";
import { answerFault, classIndex, explain, heat, method, predict, predictions, takesClass } from "../state/explain";
import { Empty, FaultNotice } from "./notice";

export function choose(index: number): void {
  classIndex.value = index;
  void explain();
}

export function AnswerPanel() {
  const shown = classIndex.value ?? (heat.value?.job.facts?.class_index as number | undefined) ?? null;
  const bars = predictions.value;
  return (
    <section class="panel answer" aria-labelledby="answer-title">
      <h2 id="answer-title">Answer</h2>
      <FaultNotice problem={answerFault.value} again={() => void predict()} />
      {!bars.length && !answerFault.value && (
        <Empty>{model.value?.state === "unusable" ? "Choose a model that can be used." : "The model's top classes appear here."}</Empty>
      )}
      <ol class="bars">
        {bars.map((each) => <Bar key={each.class_index} each={each} pressed={each.class_index === shown} />)}
      </ol>
      {bars.length > 0 && (
        <p class="small">
          {takesClass(method.value)
            ? "Choose a class to see what speaks for it."
            : `${method.value?.title ?? "This method"} takes no class, so a click changes nothing.`}
        </p>
      )}
      <OtherClass />
    </section>
  );
}

function Bar({ each, pressed }: { each: Prediction; pressed: boolean }) {
  const share = each.probability ?? 0;
  const label = each.label ?? `class ${each.class_index}`;
  return (
    <li>
      <button type="button" aria-pressed={pressed} disabled={!takesClass(method.value)} onClick={() => choose(each.class_index)}>
        <span class="bar" style={{ width: `${100 * share}%` }} aria-hidden="true" />
        <span class="label">{label}</span>{" "}
        <span class="share">{(100 * share).toFixed(share < 0.01 ? 2 : 1)} %</span>
      </button>
    </li>
  );
}

function OtherClass() {
  const [query, setQuery] = useState("");
  const [found, setFound] = useState<{ class_index: number; label: string | null }[] | null>(null);
  const name = modelName.value;
  useEffect(() => setQuery(""), [name]);
  useEffect(() => {
    if (!name || query.trim().length < 2) return setFound(null);
    let current = true;
    const due = setTimeout(() => {
      searchLabels(name, query.trim())
        .then((labels) => current && setFound(labels.slice(0, 8)))
        .catch(() => current && setFound([]));
    }, 150);
    return () => {
      current = false;
      clearTimeout(due);
    };
  }, [query, name]);
  if (!model.value?.classes) return null;
  return (
    <div class="other-class">
      <label for="class-search">Another class</label>
      <input id="class-search" type="search" placeholder={`Search ${model.value.classes} classes`} value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
      {found && (
        <ul class="menu" aria-label="Classes found">
          {found.map((each) => (
            <li key={each.class_index}>
              <button type="button" aria-pressed={classIndex.value === each.class_index} onClick={() => choose(each.class_index)}>
                <span>{each.label}</span>{" "}
                <span class="small">{each.class_index}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {found?.length === 0 && <p class="empty">No class has “{query}” in its name.</p>}
    </div>
  );
}
