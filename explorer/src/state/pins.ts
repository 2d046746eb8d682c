// The two views that are pinned side by side.
import { signal } from "@preact/signals";
import type { Heat } from "./explain";

export const pins = signal<Heat[]>([]);

/** Pin a view. A third one takes the place of the older pin. */
export function pin(heat: Heat): void {
  if (!pins.value.some((each) => each.job.id === heat.job.id)) pins.value = [...pins.value, heat].slice(-2);
}

export function unpin(heat: Heat): void {
  pins.value = pins.value.filter((each) => each !== heat);
}

/** Return what a heat explains: its class, or else its method's target. */
export function explained(heat: Heat): string {
  const facts = heat.job.facts ?? {};
  const probability = typeof facts.probability === "number" ? ` ${(100 * facts.probability).toFixed(1)}\u00a0%` : "";
  if (facts.label || typeof facts.class_index === "number") return `${facts.label ?? `class ${facts.class_index}`}${probability}`;
  return typeof facts.target === "string" ? facts.target : "the whole image";
}
