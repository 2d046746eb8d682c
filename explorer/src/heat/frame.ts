// The frame: the part of the photo that the model's input covers.
import type { Fit, ModelInput, PhotoPlace } from "../service/types";

/** A rectangle in pixels of the photo. With `letterbox`, it reaches beyond the photo. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where a map lies on the photo: the area of its cells, what its layer sees, and whether its rows and columns are mirrored. */
export interface MapFrame extends Frame {
  seen?: Frame;
  mirrored?: readonly [boolean, boolean];
}

/** Return the frame of a map from the place that the service names. */
export function frameOfPlace(place: PhotoPlace): MapFrame {
  return { ...rectangle(place.area), seen: rectangle(place.seen), mirrored: place.mirrored };
}

function rectangle([top, left, height, width]: readonly [number, number, number, number]): Frame {
  return { left, top, width, height };
}

/** Return where columns and rows of the photo lie in a map: 0-1 across and down, in the map's own order. */
export function acrossMap(frame: MapFrame, x: number): number {
  const across = (x - frame.left) / frame.width;
  return frame.mirrored?.[1] ? 1 - across : across;
}

export function downMap(frame: MapFrame, y: number): number {
  const down = (y - frame.top) / frame.height;
  return frame.mirrored?.[0] ? 1 - down : down;
}

/** Return whether the layer of a map sees a place of the photo. */
export function sees(frame: MapFrame, x: number, y: number): boolean {
  const { left, top, width, height } = frame.seen ?? frame;
  return x >= left && x <= left + width && y >= top && y <= top + height;
}

/** Return where the model's input lies on a photo of `width` × `height` pixels. */
export function frameOf(width: number, height: number, input: ModelInput | null, fit: Fit): Frame {
  const whole = { left: 0, top: 0, width, height };
  if (!input?.height || !input.width || fit === "stretch") return whole;
  const scales = [width / input.width, height / input.height];
  const scale = fit === "crop" ? Math.min(...scales) : Math.max(...scales);
  const [across, down] = [input.width * scale, input.height * scale];
  return { left: (width - across) / 2, top: (height - down) / 2, width: across, height: down };
}

/** Return the part of the photo that is seen in the frame. */
export function onPhoto(whole: MapFrame, width: number, height: number): Frame {
  const frame = whole.seen ?? whole;
  const left = Math.max(0, frame.left);
  const top = Math.max(0, frame.top);
  return {
    left,
    top,
    width: Math.min(width, frame.left + frame.width) - left,
    height: Math.min(height, frame.top + frame.height) - top,
  };
}
