/** Verify webhooks (https://www.standardwebhooks.com). */

const PREFIX = "whsec_";
const ENCODER = new TextEncoder();

/** A webhook is not what the service sent: a header is missing, the signature is wrong, or it is too old. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
}

export interface WebhookOptions {
  /** The most seconds by which the webhook's time may differ from now. The standard recommends 300, which is the default. */
  tolerance?: number;
  /** The time now, in milliseconds since 1970. */
  now?: number;
}

/**
 * Check a webhook's signature and its time, and return its payload.
 *
 * @param body the body of the request exactly as it came. JSON that was parsed and written again has another signature.
 * @param headers the headers of the request: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
 * @param secret the secret, `whsec_` followed by base64.
 * @throws WebhookVerificationError if the webhook must not be trusted.
 */
export async function verifyWebhook<T = unknown>(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Headers | Record<string, string | string[] | undefined>,
  secret: string,
  { tolerance = 300, now = Date.now() }: WebhookOptions = {},
): Promise<T> {
  const id = header(headers, "webhook-id");
  const time = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature");
  if (!/^\d{1,12}$/.test(time)) throw new WebhookVerificationError("webhook-timestamp is not a number of seconds.");
  if (Math.abs(now / 1000 - Number(time)) > tolerance) throw new WebhookVerificationError("The webhook is too old, or its time is in the future.");
  const key = await crypto.subtle.importKey("raw", bytesOf(secret.replace(PREFIX, "")), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const content = typeof body === "string" ? ENCODER.encode(body) : body;
  const signed = await new Blob([`${id}.${time}.`, content]).arrayBuffer();
  for (const each of signatures.split(" ")) {
    const [version, signature] = each.split(",", 2);
    if (version !== "v1" || signature === undefined) continue;
    const isRight = await crypto.subtle.verify("HMAC", key, bytesOf(signature), signed); // takes the same time for every signature
    if (isRight) return JSON.parse(new TextDecoder().decode(content)) as T;
  }
  throw new WebhookVerificationError("No signature of the webhook matches the secret.");
}

function header(headers: Headers | Record<string, string | string[] | undefined>, name: string): string {
  const found = headers instanceof Headers ? headers.get(name) : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  if (typeof found !== "string" || found === "") throw new WebhookVerificationError(`The header ${name} is missing.`);
  return found;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw new WebhookVerificationError("The secret or a signature is not valid base64.");
  }
}
