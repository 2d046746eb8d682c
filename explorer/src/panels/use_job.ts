// A job that belongs to a part of the page: it runs while the part is shown, and is canceled when the part goes.
import { useEffect, useState } from "preact/hooks";
import { asFault, type Fault } from "../service/problem";
import type { Step } from "../service/run";

export interface Running<Value> {
  value: Value | null;
  fault: Fault | null;
  step: Step | "sent" | null;
}

/** Run `work` when one of `on` changes. `work` is not run while it is null. */
export function useJob<Value>(work: ((told: (step: Step) => void, signal: AbortSignal) => Promise<Value>) | null, on: unknown[]): Running<Value> {
  const [state, setState] = useState<Running<Value>>({ value: null, fault: null, step: null });
  useEffect(() => {
    setState({ value: null, fault: null, step: work ? "sent" : null });
    if (!work) return;
    const abort = new AbortController();
    const set = (next: Running<Value>) => abort.signal.aborted || setState(next);
    work((step) => set({ value: null, fault: null, step }), abort.signal).then(
      (value) => set({ value, fault: null, step: null }),
      (error) => set({ value: null, fault: asFault(error), step: null }),
    );
    return () => abort.abort();
  }, on);
  return state;
}
