/** Make the body of `POST /v1/jobs` from what callers give. */

import { PHOTO_SET_FIELDS } from "./generated/methods.js";
import { isFile, type ImageReference } from "./images.js";
import type { ImageField, ImageSource, InputOf, MethodName, PhotoSetSource, Schemas } from "./types.js";

const BESIDE_PARAMETERS = ["model", "inputs", "priority", "webhook"] as const;
const IMAGE_FIELDS: readonly ImageField[] = ["other_image", "mask", "image"];

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
    if ((BESIDE_PARAMETERS as readonly string[]).includes(name)) body[name] = value;
    else params[name] = await uploadedInside(name, value, reference);
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

/** Return the value of a parameter or of a field in it, with the id of an upload in place of each file. Only fields of images name files. */
async function uploadedInside(name: string, value: unknown, reference: (image: ImageSource) => Promise<ImageReference>): Promise<unknown> {
  if ((IMAGE_FIELDS as readonly string[]).includes(name) && isFile(value as ImageSource)) return listedImage(value as ImageSource, reference);
  if (Array.isArray(value)) return Promise.all(value.map((each) => uploadedInside("", each, reference)));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const fields = Object.entries(value).map(async ([field, each]) => [field, await uploadedInside(field, each, reference)] as const);
  return Object.fromEntries(await Promise.all(fields));
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
