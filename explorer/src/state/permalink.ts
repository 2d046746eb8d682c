// The permalink: everything that the page shows, in the part of the address after '#', which browsers do not send.
import type { Params } from "../service/types";

export interface Permalink {
  model?: string;
  /** `sample:NAME`, or the id of an upload. */
  photo?: string;
  method?: string;
  classIndex?: number;
  params?: Params;
  colormap?: string;
  opacity?: number;
  threshold?: number;
  wipe?: number;
  layer?: string;
  channel?: number;
}

const NUMBERS = ["classIndex", "opacity", "threshold", "wipe", "channel"] as const;
const WORDS = ["model", "photo", "method", "colormap", "layer"] as const;

/** Read the part of an address after '#'. What cannot be read is left out. */
export function readPermalink(hash: string): Permalink {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const link: Permalink = {};
  for (const name of WORDS) {
    const value = fields.get(name);
    if (value) link[name] = value;
  }
  for (const name of NUMBERS) {
    const value = fields.get(name);
    if (value && Number.isFinite(Number(value))) link[name] = Number(value);
  }
  const params = fields.get("params");
  if (params) {
    try {
      link.params = JSON.parse(params) as Params;
    } catch {
      // a link that was cut off still opens, with the default parameters
    }
  }
  return link;
}

export function writePermalink(link: Permalink): string {
  const fields = new URLSearchParams();
  for (const name of [...WORDS, ...NUMBERS]) {
    const value = link[name];
    if (value !== undefined) fields.set(name, String(value));
  }
  if (link.params && Object.keys(link.params).length) fields.set("params", JSON.stringify(link.params));
  return `#${fields}`;
}
