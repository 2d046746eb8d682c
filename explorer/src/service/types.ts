// The parts of the service's answers that the page reads. Those that are the same for every method come from the client.
import type { Schemas } from "../../../client/typescript/src/index";

export type Artifact = Pick<Schemas["Artifact"], "name" | "kind" | "shape" | "primary" | "url" | "on_photo">;
export type PhotoPlace = Schemas["PhotoPlace"];
export type ModelEntry = Schemas["ModelSummary"];
export type ModelDetail = Schemas["ModelDescription"];
export type ModelInput = Pick<NonNullable<ModelEntry["input"]>, "height" | "width">;
export type Layer = Schemas["Layer"];
export type Fit = "stretch" | "crop" | "letterbox";
export type Params = Record<string, unknown>;

/** A job of any method. The client's type tells the methods apart; this one has what all of them share. */
export interface Job {
  id: string;
  method: string;
  model: string | null;
  state: "queued" | "running" | "succeeded" | "failed" | "canceled" | "expired";
  params: Params;
  queue_position: number | null;
  cached: boolean;
  expires_at: string | null;
  timings: Record<string, number> | null;
  facts: Record<string, unknown> | null;
  warnings: string[];
  artifacts: Artifact[];
  provenance: Record<string, unknown> | null;
  error: { code: string; detail: string } | null;
}

export interface Prediction {
  class_index: number;
  label: string | null;
  probability: number | null;
}

export interface Schema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  default?: unknown;
  description?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  properties?: Record<string, Schema>;
  $defs?: Record<string, Schema>;
}

export interface Method extends Omit<Schemas["MethodDescription"], "parameters"> {
  parameters: Schema;
  cost: string;
  how_to_read: string;
  when_it_misleads: string;
}
