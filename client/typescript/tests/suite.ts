/** All tests, one after the other. */

import type { Context, Test } from "./checks.js";
import { jobs } from "./jobs.js";
import { requests } from "./requests.js";
import { streams } from "./streams.js";

const LONGEST = 60_000; // milliseconds of one test
const TESTS: Record<string, Test> = { ...jobs, ...streams, ...requests };

/** Run every test and return, by its name, null or what went wrong. */
export async function outcomes(context: Context): Promise<Record<string, string | null>> {
  const found: Record<string, string | null> = {};
  for (const [name, test] of Object.entries(TESTS)) {
    found[name] = await Promise.race([test(context), tooLong()]).then(
      () => null,
      (error: unknown) => (error instanceof Error ? (error.stack ?? String(error)) : String(error)),
    );
  }
  return found;
}

function tooLong(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("The test takes too long.")), LONGEST));
}
