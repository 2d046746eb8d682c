/** The types of requests and answers, by the name of the method. They come from the service's OpenAPI document. */

import type { ArtifactNames, MethodWithImage, MethodWithImages, PHOTO_SET_FIELDS } from "./generated/methods.js";
import type { components } from "./generated/schema.js";

export type Schemas = components["schemas"];

/** A job of any method, in any state. */
export type Job = Schemas["Job"];

/** The name of a method, for example `"grad_cam"`. */
export type MethodName = Job["method"];

/** A job of the method `M`. `state` tells which of its fields are there. */
export type JobOf<M extends MethodName> = Extract<Job, { method: M }>;

/** A job of the method `M` that has succeeded. It has facts, artifacts and provenance. */
export type SucceededJobOf<M extends MethodName> = Extract<JobOf<M>, { state: "succeeded" }>;

/** The facts that the method `M` finds. */
export type FactsOf<M extends MethodName> = SucceededJobOf<M>["facts"];

/** The names of the artifacts that the method `M` can make. */
export type ArtifactNameOf<M extends MethodName> = ArtifactNames[M];

/** A submission of the method `M` as `POST /v1/jobs` takes it. */
export type RequestOf<M extends MethodName> = Extract<Schemas["JobRequest"], { method: M }>;

/** The parameters of the method `M`. */
export type ParamsOf<M extends MethodName> = NonNullable<RequestOf<M>["params"]>;

type FileContent = Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** A photo: a file, its bytes, the `id` of an upload (`img_…`), a `data:` address, or an image as `POST /v1/jobs` takes it. */
export type ImageSource = FileContent | string | NonNullable<RequestOf<"grad_cam">["image"]>;

/** The names of the fields, in the parameters or inside them, that name one image: the id of an upload, an address, or a file that is uploaded. */
export type ImageField = "other_image" | "mask" | "image";

type WithFiles<T> = T extends readonly (infer E)[]
  ? readonly WithFiles<E>[]
  : T extends object
    ? { [F in keyof T]: F extends ImageField ? T[F] | FileContent : WithFiles<T[F]> }
    : T;

/** A set of photos: the id of a set (`set_…`), or its name and its images, of which files are uploaded. */
export type PhotoSetSource = string | { name: string; images: readonly ImageSource[] };

type PhotoSetFieldOf<M extends MethodName> = M extends keyof typeof PHOTO_SET_FIELDS ? (typeof PHOTO_SET_FIELDS)[M][number] : never;
type PhotoSetsOf<M extends MethodName> = { [F in keyof ParamsOf<M> as F extends PhotoSetFieldOf<M> ? F : never]: readonly PhotoSetSource[] };
type ImageOf<M extends MethodName> = M extends MethodWithImage ? { image: ImageSource } : { image?: never };
type ImagesOf<M extends MethodName> = M extends MethodWithImages ? { images: readonly ImageSource[] } : unknown;

/** What `run` and `submit` take: the model, the image, and the method's parameters beside them. */
export type InputOf<M extends MethodName> = Omit<RequestOf<M>, "method" | "image" | "params" | "fit"> &
  WithFiles<Omit<ParamsOf<M>, (M extends MethodWithImages ? "images" : never) | PhotoSetFieldOf<M>>> &
  PhotoSetsOf<M> &
  ImageOf<M> &
  ImagesOf<M>;

/** An event of a job: `status`, `progress`, `preview` or `done`. The field `event` tells which, and `job_id` whose it is. */
export type JobEvent = Schemas["JobEvent"];

/** An error as the service writes it (RFC 9457). */
export type Problem = Schemas["Problem"];

/** The code of an error. A later version of the service may add codes. */
export type ProblemCode = Problem["code"];

/** Tell whether a job goes no further. */
export function hasEnded(job: { state: Job["state"] }): boolean {
  return job.state !== "queued" && job.state !== "running";
}
