/** Make the body of `POST /v1/jobs` from what callers give. */

import { PHOTO_SET_FIELDS } from "./generated/methods.js";
import type { ImageReference } from "./images.js";
import type { ImageSource, InputOf, MethodName, PhotoSetSource, Schemas } from "./types.js";

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
  const listed = (several: readonly ImageSource[]) => Promise.all(several.map((each) => listedImage(each, reference)));
  if (images !== undefined) params["images"] = await listed(images);
  for (const name of photoSetFieldsOf(method)) {
    const sets = params[name] as readonly PhotoSetSource[] | undefined;
    const uploaded = async (set: PhotoSetSource) => (typeof set === "string" ? set : { ...set, images: await listed(set.images) });
    if (sets !== undefined) params[name] = await Promise.all(sets.map(uploaded));
  }
  return { ...body, params } as Schemas["JobRequest"];
}

function photoSetFieldsOf(method: MethodName): readonly string[] {
  return method in PHOTO_SET_FIELDS ? PHOTO_SET_FIELDS[method as keyof typeof PHOTO_SET_FIELDS] : [];
}

/** Return how a list of images names an image: by the id of its upload. The id of a set and an address stay as they are. */
async function listedImage(image: ImageSource, reference: (image: ImageSource) => Promise<ImageReference>): Promise<string> {
  if (typeof image === "string" && /^(set_|https?:\/\/)/.test(image)) return image;
  const found = await reference(image);
  if ("id" in found) return found.id;
  throw new TypeError("Each of several images is a file, its bytes, the id of an upload or of a set, or an address.");
}
