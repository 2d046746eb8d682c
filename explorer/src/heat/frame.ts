// The frame: the part of the photo that the model's input covers.
import type { Fit, ModelInput } from "../service/types";

/** A rectangle in pixels of the photo. With `letterbox`, it reaches beyond the photo. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
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

/** Return the part of the frame that lies on the photo. */
export function onPhoto(frame: Frame, width: number, height: number): Frame {
  const left = Math.max(0, frame.left);
  const top = Math.max(0, frame.top);
  return {
    left,
    top,
    width: Math.min(width, frame.left + frame.width) - left,
    height: Math.min(height, frame.top + frame.height) - top,
  };
}
