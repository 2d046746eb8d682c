// Colours of a map's values. The tables are the service's own, so the page and the service's pictures agree.
import tables from "./colormap_tables.json";

export const COLORMAPS = Object.keys(tables) as (keyof typeof tables)[];
export type Colormap = keyof typeof tables;

/** Return 256 colours, RGB bytes in a row. */
export function colourTable(name: Colormap): Uint8Array {
  return Uint8Array.from({ length: 768 }, (_, at) => parseInt(tables[name].slice(2 * at, 2 * at + 2), 16));
}

// The ends and the middle of ColorBrewer's RdBu, as in rendering/overlays/diverging.py.
const FOR = [178, 24, 43];
const AGAINST = [33, 102, 172];
const NEUTRAL = [247, 247, 247];

/** Return 256 colours from blue (−1) through white (0) to red (+1). */
export function divergingTable(): Uint8Array {
  const table = new Uint8Array(768);
  for (let level = 0; level < 256; level++) {
    const value = (level - 127.5) / 127.5;
    const end = value > 0 ? FOR : AGAINST;
    for (let colour = 0; colour < 3; colour++) {
      table[3 * level + colour] = Math.round(NEUTRAL[colour]! * (1 - Math.abs(value)) + end[colour]! * Math.abs(value));
    }
  }
  return table;
}
