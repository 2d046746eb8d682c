// The layer and the channel that are looked at in the network.
import { signal } from "@preact/signals";

export interface Unit {
  layer: string;
  /** The channel whose card is open; null if none is. */
  channel: number | null;
}

export const unit = signal<Unit | null>(null);
