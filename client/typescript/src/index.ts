/** A client for convscope, the service that shows what convolutional networks see. */

export type { ArtifactOptions, NumberArray, WithArtifacts } from "./artifacts.js";
export { Client, type ClientOptions, type JobOrId, type RunOptions, type SubmitOptions } from "./client.js";
export type { FollowedEvent, FollowOptions } from "./follow.js";
export type { components, operations, paths } from "./generated/schema.js";
export { JobNotSucceededError, ProblemError } from "./problem.js";
export { DEFAULT_RETRY, type RetryOptions } from "./retry.js";
export * from "./types.js";
export { verifyWebhook, WebhookVerificationError, type WebhookOptions } from "./webhook.js";
