// Notices: what went wrong, and what to do about it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { keyWanted, rememberKey } from "../service/api";
import { remedyFor, type Fault } from "../service/problem";
import { workersAway } from "../state/catalog";
import { start } from "../state/session";

export function FaultNotice({ problem, again }: { problem: Fault | null; again?: () => void }) {
  if (!problem || problem.code === "unauthenticated") return null; // the field for the key says the rest
  const remedy = remedyFor(problem.code);
  return (
    <div class="notice fault" role="alert">
      <p>{problem.detail}</p>
      {problem.fields.length > 1 && (
        <ul>{problem.fields.map((each) => <li key={each.pointer}>{each.detail}</li>)}</ul>
      )}
      {remedy && <p>{remedy}</p>}
      {again && <button type="button" onClick={again}>Try again</button>}
    </div>
  );
}

export function Warnings({ warnings }: { warnings: string[] }) {
  if (!warnings.length) return null;
  return (
    <div class="notice warning" role="status">
      <strong>{warnings.length === 1 ? "A warning" : `${warnings.length} warnings`}</strong>
      <ul>{warnings.map((each) => <li key={each}>{each}</li>)}</ul>
    </div>
  );
}

export function NoWorkers() {
  if (!workersAway.value) return null;
  return (
    <div class="notice fault banner" role="alert">
      <p>
        No worker is running, so jobs wait. The operator starts one with <code>convscope worker</code>. This page goes on by itself as soon
        as one is there.
      </p>
    </div>
  );
}

export function KeyField({ done = start }: { done?: () => void }) {
  const [typed, type] = useState("");
  if (!keyWanted.value) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    if (!typed.trim()) return;
    rememberKey(typed.trim());
    type("");
    void done();
  };
  return (
    <form class="notice key banner" onSubmit={submit}>
      <label for="key">This service asks for an API key. The key stays in this tab, and is forgotten when you close it.</label>
      <div class="row">
        <input id="key" type="password" autocomplete="off" placeholder="cs_…" value={typed} onInput={(event) => type(event.currentTarget.value)} />
        <button type="submit" class="strong">Use this key</button>
      </div>
      <p class="small">The operator makes one with <code>convscope keys add NAME --scopes read,submit</code>.</p>
    </form>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
