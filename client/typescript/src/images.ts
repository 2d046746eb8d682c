/** Turn what callers give as an image into what the service takes. A file is uploaded once. */

import type { ImageSource, Schemas } from "./types.js";

export type ImageReference = Exclude<ImageSource, Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer> | string>;

const ID = /^img_[0-9a-f]{64}$/;

/** Tell whether the image is a file, or a file's bytes, which must be uploaded before a job can name it. */
export function isFile(image: ImageSource): image is Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer> {
  return image instanceof Blob || image instanceof ArrayBuffer || ArrayBuffer.isView(image);
}

/**
 * Return the reference of an image that is no file.
 *
 * @throws TypeError if a text is neither the id of an upload nor a `data:` address.
 */
export function referenceOf(image: Exclude<ImageSource, Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>>): ImageReference {
  if (typeof image !== "string") return image;
  if (ID.test(image)) return { id: image };
  if (image.startsWith("data:")) return { base64: image };
  throw new TypeError(`An image is a file, its bytes, an id (img_…) or a data: address; got the text '${image.slice(0, 40)}'.`);
}

/** Return the bytes of base64, which may have the prefix of a `data:` address. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replace(/^data:[^,]*,/, "")), (character) => character.charCodeAt(0));
}

/** Return the media type with which a file is uploaded. The service recognises images by their content, so any image type will do. */
export async function mediaTypeOf(file: Blob): Promise<string> {
  const start = new Uint8Array(await file.slice(0, 6).arrayBuffer());
  const isArray = start[0] === 0x93 && String.fromCharCode(...start.slice(1)) === "NUMPY";
  return isArray ? "application/x-npy" : file.type.startsWith("image/") ? file.type : "image/*";
}

/** Uploads files, each one only once. */
export class Uploads {
  readonly #ids = new Map<string, Promise<string>>();
  readonly #upload: (file: Blob) => Promise<Schemas["UploadedImage"]>;

  constructor(upload: (file: Blob) => Promise<Schemas["UploadedImage"]>) {
    this.#upload = upload;
  }

  /**
   * Return the id of a file's upload. The file is sent only if it was not sent before.
   *
   * Callers who give the same file at the same time share one upload. A page that was not loaded over https, or from localhost, cannot
   * compute digests; it sends the file each time, and the service keeps it once.
   */
  async once(image: Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>): Promise<string> {
    const file = image instanceof Blob ? image : new Blob([image]);
    if (globalThis.crypto?.subtle === undefined) return (await this.#upload(file)).id;
    const id = `img_${hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()))}`;
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    const sent = this.#upload(file).then((uploaded) => uploaded.id);
    this.#ids.set(id, sent);
    sent.catch(() => this.#ids.delete(id));
    return sent;
  }

  /** Forget that these files were uploaded, because the service does not have them any more. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#ids.delete(id);
  }
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
