// What went wrong, and what to do about it.
import { JobNotSucceededError, ProblemError } from "../../../client/typescript/src/index";

export interface Fault {
  code: string;
  detail: string;
  /** The wrong fields of a request. */
  fields: { pointer: string | null; detail: string; nearest?: readonly string[] | null }[];
}

export function faultOf(code: string, detail: string): Fault {
  return { code, detail, fields: [] };
}

/** An error that the page itself finds. */
export class PageError extends Error {
  constructor(
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** Return what was thrown as a fault. A fetch that reaches nobody throws a TypeError. */
export function asFault(thrown: unknown): Fault {
  if (thrown instanceof ProblemError) {
    return { code: thrown.code ?? "no_problem", detail: thrown.problem?.detail ?? thrown.message, fields: thrown.problem?.errors ?? [] };
  }
  if (thrown instanceof JobNotSucceededError) return faultOf(thrown.code ?? thrown.job.state, thrown.message);
  if (thrown instanceof PageError) return faultOf(thrown.code, thrown.message);
  if (thrown instanceof TypeError) return faultOf("unreachable", "The service does not answer.");
  return faultOf("page_error", thrown instanceof Error ? thrown.message : String(thrown));
}

const REMEDIES: Record<string, string> = {
  unreachable: "Check that the service runs and that you are connected to it. Then try again.",
  no_workers: "The operator starts one with the command “convscope worker”.",
  broker_unavailable: "The service does not reach its queue. Wait a moment, and try again.",
  model_load_failed: "Choose another model in the menu. The operator can find out more with the command “convscope doctor”.",
  model_loading: "A worker is loading the model. Wait a moment, and try again.",
  unsupported_format: "Choose a JPEG, PNG, WebP, GIF or BMP file.",
  image_too_large: "Make the photo smaller, and choose it again.",
  body_too_large: "Make the photo smaller, and choose it again.",
  invalid_image: "The file is damaged or no photo. Choose another one.",
  forward_only_model: "This model can only be run. Choose “Cover it” among the methods, or another model.",
  rate_limited: "You have sent many requests. Wait a minute, and try again.",
  caller_limit: "You have many jobs under way. Wait until some have ended, and try again.",
  queue_full: "Many jobs are waiting. Wait a moment, and try again.",
  expired: "The results are gone. Run the method again.",
  not_found: "It has expired, was deleted, or belongs to somebody else.",
  scope_missing: "Your key may not do this. Ask the operator for a key with the scopes “read” and “submit”.",
  storage_full: "The service has no room. Try again later, or tell the operator.",
  worker_crashed: "Choose a smaller photo or another model.",
};

/** Return a sentence that says what to do about a problem; empty if the problem's own words are enough. */
export function remedyFor(code: string): string {
  return REMEDIES[code] ?? "";
}
