// The photo that is looked at.
import { signal } from "@preact/signals";
import { client, imageFile } from "../service/api";
import { asFault, PageError, type Fault } from "../service/problem";
import { SAMPLES } from "../samples";

export interface Photo {
  /** `sample:NAME`, or the id of the upload: what a permalink says. */
  name: string;
  title: string;
  /** The file's name in the calls that the page shows. */
  fileName: string;
  /** The id of the upload, which jobs name. */
  id: string;
  bitmap: ImageBitmap;
  width: number;
  height: number;
}

export const photo = signal<Photo | null>(null);
export const photoFault = signal<Fault | null>(null);
export const photoBusy = signal(false);

const WIDEST = 2048; // pixels, the widest thumbnail that the service makes

let latest = 0;

/** Take a file of the user as the photo. */
export const takeFile = (file: File) =>
  take(async () => {
    const id = await client().uploadOnce(file);
    return photoOf(file, id, id, file.name || "Your photo", file.name || "photo.jpg");
  });

/** Take a sample (`sample:NAME`) or an earlier upload as the photo. */
export const takeNamed = (name: string) =>
  take(async () => {
    if (!name.startsWith("sample:")) return photoOf(await imageFile(name), name, name, "Your photo", "photo.jpg");
    const sample = SAMPLES.find((each) => `sample:${each.name}` === name);
    if (!sample) throw new PageError("no_sample", `There is no sample “${name.slice(7)}”. Choose one of those below.`);
    const file = await (await fetch(sample.file)).blob();
    return photoOf(file, name, await client().uploadOnce(file), sample.title, `${sample.name}.jpg`);
  });

async function photoOf(file: Blob, name: string, id: string, title: string, fileName: string): Promise<Photo> {
  // The service reads some formats that browsers cannot show, such as HEIC. It then gives a picture that they can.
  const bitmap = await createImageBitmap(file).catch(async () => createImageBitmap(await imageFile(id, WIDEST)));
  return { name, title, fileName, id, bitmap, width: bitmap.width, height: bitmap.height };
}

async function take(read: () => Promise<Photo>): Promise<void> {
  const mine = ++latest;
  photoBusy.value = true;
  photoFault.value = null;
  try {
    const taken = await read();
    if (mine === latest) photo.value = taken;
  } catch (error) {
    if (mine === latest) photoFault.value = asFault(error);
  } finally {
    if (mine === latest) photoBusy.value = false;
  }
}
