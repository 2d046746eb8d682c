/** What the tests need in Node and in browsers: an assertion, the photo, and a client whose requests are recorded. */

import { Client, type ClientOptions } from "../src/index.js";

export interface Context {
  /** The address of a running service. */
  url: string;
  photo: Blob;
  /** A webhook that another implementation has signed. */
  webhook: { body: string; headers: Record<string, string>; secret: string; time: number };
}

export type Test = (context: Context) => Promise<void>;

export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

export function equal(got: unknown, expected: unknown, what = "value"): void {
  check(JSON.stringify(got) === JSON.stringify(expected), `${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`);
}

/** Return what a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`nothing was thrown; the value is ${JSON.stringify(value)?.slice(0, 300)}`);
    },
    (error: unknown) => error,
  );
}

export const MODEL = "efficientnet_lite0";
export const NO_WAITING = { firstDelay: 1, longestDelay: 2 };

/** Return a client, and the requests that it has sent. `answer` may answer a request in place of the service. */
export function recorded(
  url: string,
  answer: (request: Request, number: number) => Promise<Response> | null = () => null,
  options: ClientOptions = {},
): { client: Client; requests: Request[] } {
  const requests: Request[] = [];
  const send = async (request: Request) => {
    requests.push(request);
    return answer(request, requests.length) ?? fetch(request);
  };
  return { client: new Client(url, { retry: NO_WAITING, ...options, fetch: send }), requests };
}

/** Return the path and the query of a request. */
export function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}

export function problemAnswer(code: string, status: number, retryable: boolean, headers: Record<string, string> = {}): Promise<Response> {
  const problem = { type: `/problems/${code}`, title: code, status, detail: "It was refused.", code, retryable, request_id: "", errors: [] };
  return Promise.resolve(new Response(JSON.stringify(problem), { status, headers: { "Content-Type": "application/problem+json", ...headers } }));
}
