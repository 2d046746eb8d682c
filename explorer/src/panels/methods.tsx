// The methods in their families: what each shows, what it costs, how to read it, its parameters, and its pictures.
import { computed, signal } from "@preact/signals";
import { hasKey, root } from "../service/api";
import type { Method, Params } from "../service/types";
import { methods, model, modelName } from "../state/catalog";
import { explain, heatFault, lastJob, methodName, paramsOf, running, stop } from "../state/explain";
import { curlCall } from "../words/calls";
import { familiesOf, takesSeveralPhotos } from "../words/families";
import { Artifacts } from "./artifacts";
import { Described } from "./described";
import { Empty, FaultNotice } from "./notice";
import { ParameterForm } from "./parameter_form";
import { ProgressLine } from "./progress";

const families = computed(() => familiesOf(methods.value));

const opened = signal<string | null>(null);
const family = computed(() => {
  const named = families.value.find((each) => each.name === opened.value);
  return named ?? families.value.find((each) => each.methods.some((method) => method.name === methodName.value)) ?? families.value[0];
});

export function MethodsPanel() {
  return (
    <section class="panel methods" id="methods" aria-labelledby="methods-title">
      <h2 id="methods-title">Methods</h2>
      <div class="tabs" role="group" aria-label="Families of methods">
        {families.value.map((each) => (
          <button key={each.name} type="button" aria-pressed={each === family.value} onClick={() => (opened.value = each.name)}>
            {each.name}
          </button>
        ))}
      </div>
      <p class="question">{family.value?.question}</p>
      <ul class="cards">
        {family.value?.methods.filter((each) => !takesSeveralPhotos(each)).map((each) => <MethodCard key={each.name} each={each} />)}
      </ul>
      {family.value?.methods.filter(takesSeveralPhotos).map((each) => <SeveralPhotos key={each.name} each={each} />)}
      <Chosen />
    </section>
  );
}

function MethodCard({ each }: { each: Method }) {
  const pick = () => {
    methodName.value = each.name;
    heatFault.value = null;
    if (each.lane === "fast") void explain();
  };
  return (
    <li>
      <button type="button" class="card" aria-pressed={each.name === methodName.value} onClick={pick}>
        <strong>{each.title}</strong>{" "}
        <span class={`lane ${each.lane}`}>{each.lane === "fast" ? "fast" : "takes longer"}</span>{" "}
        <span class="small">{each.summary}</span>
      </button>
    </li>
  );
}

/** A method of several photos: what it shows, and the call that runs it. */
function SeveralPhotos({ each }: { each: Method }) {
  const example = Object.entries((each.example.params ?? {}) as Params).filter(([name, value]) => name !== "images" && value !== null);
  const call = curlCall({
    service: location.origin + root,
    method: each.name,
    model: modelName.value,
    fileName: each.needs_image ? "photo.jpg" : null,
    fileNames: ["first.jpg", "second.jpg", "third.jpg"],
    params: Object.fromEntries(example),
    key: hasKey.value,
  });
  return (
    <details class="several">
      <summary>
        <strong>{each.title}</strong> <span class="small">{each.summary}</span>
      </summary>
      <About each={each} />
      <p>This page shows one photo. Run the method on photos of yours from a shell, or with a client in Python or TypeScript:</p>
      <pre tabIndex={0} role="group" aria-label={`A call of ${each.title}`}><code>{call}</code></pre>
    </details>
  );
}

function About({ each }: { each: Method }) {
  return (
    <dl class="facts">
      <dt>Cost</dt>
      <dd><Described text={each.cost} /></dd>
      <dt>How to read this</dt>
      <dd><Described text={each.how_to_read} /></dd>
      <dt>When it misleads</dt>
      <dd><Described text={each.when_it_misleads} /></dd>
      <dt>Source</dt>
      <dd class="small">{each.reference}</dd>
    </dl>
  );
}

function Chosen() {
  const each = methods.value.find((method) => method.name === methodName.value);
  if (!each) return <Empty>Choose a method.</Empty>;
  const busy = running.value !== null;
  const job = lastJob.value?.method === each.name ? lastJob.value : null;
  return (
    <div class="chosen">
      <form
        aria-label={`Run ${each.title}`}
        onSubmit={(event) => {
          event.preventDefault();
          void explain();
        }}
      >
        <h3>{each.title}</h3>
        <p><Described text={each.summary} /></p>
        <About each={each} />
        <p class="row">
          <button type="submit" class="strong" disabled={model.value?.state !== "usable"}>Run {each.title}</button>
          {busy && <button type="button" onClick={stop}>Cancel</button>}
        </p>
        <ProgressLine step={running.value} />
        <FaultNotice problem={heatFault.value} />
        <ParameterForm
          method={each}
          params={paramsOf.value[each.name] ?? {}}
          change={(params) => (paramsOf.value = { ...paramsOf.value, [each.name]: params })}
          fault={heatFault.value}
        />
      </form>
      <div class="results">
        <h3>Results</h3>
        {job ? <Artifacts job={job} /> : <Empty>Run the method to see its pictures here. A map also appears on the stage.</Empty>}
      </div>
    </div>
  );
}
