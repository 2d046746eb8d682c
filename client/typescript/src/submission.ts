/** Make the body of `POST /v1/jobs` from what callers give. */

import type { ImageReference } from "./images.js";
import type { ImageSource, InputOf, MethodName, Schemas } from "./types.js";

const BESIDE_PARAMETERS = ["model", "inputs", "priority", "webhook"] as const;

/** Return the submission. `reference` uploads an image if it is a file. The photo's `fit` is one of the parameters. */
export async function submissionOf<M extends MethodName>(
  method: M,
  input: InputOf<M>,
  reference: (image: ImageSource) => Promise<ImageReference>,
): Promise<Schemas["JobRequest"]> {
  const { image, images, ...rest } = input as Record<string, unknown> & { image?: ImageSource; images?: readonly ImageSource[] };
  const body: Record<string, unknown> = { method };
  const params: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    ((BESIDE_PARAMETERS as readonly string[]).includes(name) ? body : params)[name] = value;
  }
  if (image !== undefined) body["image"] = await reference(image);
  if (images !== undefined) params["images"] = await Promise.all(images.map(async (each) => uploadIdOf(await reference(each))));
  return { ...body, params } as Schemas["JobRequest"];
}

function uploadIdOf(image: ImageReference): string {
  if ("id" in image) return image.id;
  throw new TypeError("Each of several images is a file, its bytes, or the id of an upload.");
}
