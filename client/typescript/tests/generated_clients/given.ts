/** What both programs need: the service, the photo and a check. */

import { readFile } from "node:fs/promises";

export const url = process.argv[2]!;
export const photo = new Blob([await readFile(process.argv[3]!)], { type: "image/jpeg" });

export function equal(got: unknown, expected: unknown): void {
  if (JSON.stringify(got) !== JSON.stringify(expected)) {
    throw new Error(`got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`);
  }
}
