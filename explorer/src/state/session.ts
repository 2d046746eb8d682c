// Begin: restore what a permalink says, and keep the address up to date.
import { batch, effect, signal } from "@preact/signals";
import { COLORMAPS, type Colormap } from "../heat/colours";
import { catalogFault, chooseModel, firstModel, loadMethods, loadModels, modelFault, modelName, models, workersAway } from "./catalog";
import { classIndex, explain, heat, heatFault, methodName, paramsOf, predict, view } from "./explain";
import { readPermalink, writePermalink, type Permalink } from "./permalink";
import { photo, takeNamed } from "./photo";
import { unit } from "./unit";

const FIRST_PHOTO = "sample:cat";
const PATIENCE = 1500; // milliseconds that the methods wait for the first heat
export const started = signal(false);

/** Load the catalogue and the photo, and show the first heat. */
export async function start(): Promise<void> {
  const link = readPermalink(location.hash);
  applyLink(link);
  // A plain address shows Grad-CAM of the top class, for which nobody needs to know the methods. They come after the first heat.
  const plain = !link.method && link.classIndex === undefined;
  await Promise.all([loadModels(), takeNamed(link.photo ?? FIRST_PHOTO), plain ? null : loadMethods()]);
  if (catalogFault.value) return;
  const named = models.value.some((each) => each.name === link.model) ? link.model! : firstModel();
  if (named) {
    modelName.value = named;
    const shown = explain();
    if (plain) await Promise.race([shown, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    void predict();
    void chooseModel(named);
  }
  await loadMethods();
  if (!started.value) keepAddress();
  started.value = true;
}

/** Ask the model again, and draw the heat again. */
export async function refresh(): Promise<void> {
  await Promise.all([explain(), predict()]);
}

export function changeModel(name: string): void {
  batch(() => {
    classIndex.value = null;
    unit.value = null;
    heat.value = null; // it explains another model
    for (const params of Object.values(paramsOf.value)) delete params.layer;
  });
  void chooseModel(name);
  void refresh();
}

export async function changePhoto(take: () => Promise<void>): Promise<void> {
  const before = photo.value;
  await take();
  if (photo.value !== before) {
    classIndex.value = null;
    await refresh();
  }
}

function applyLink(link: Permalink): void {
  batch(() => {
    if (link.method) methodName.value = link.method;
    if (link.params) paramsOf.value = { ...paramsOf.value, [methodName.value]: link.params };
    classIndex.value = link.classIndex ?? null;
    unit.value = link.layer ? { layer: link.layer, channel: link.channel ?? null } : null;
    const colormap = COLORMAPS.find((each) => each === link.colormap) as Colormap | undefined;
    view.value = {
      colormap: colormap ?? view.value.colormap,
      opacity: within(link.opacity, view.value.opacity),
      threshold: within(link.threshold, view.value.threshold),
      wipe: within(link.wipe, view.value.wipe),
    };
  });
}

export function permalink(): string {
  const { colormap, opacity, threshold, wipe } = view.value;
  return writePermalink({
    model: modelName.value ?? undefined,
    photo: photo.value?.name,
    method: methodName.value,
    classIndex: classIndex.value ?? undefined,
    params: paramsOf.value[methodName.value],
    colormap,
    opacity,
    threshold,
    wipe,
    layer: unit.value?.layer,
    channel: unit.value?.channel ?? undefined,
  });
}

function keepAddress(): void {
  let due = 0;
  effect(() => {
    const address = permalink();
    clearTimeout(due); // browsers limit how often a page may change its address
    due = setTimeout(() => history.replaceState(null, "", address), 200);
  });
  window.addEventListener("hashchange", () => void start());
  let away = false;
  effect(() => {
    const returned = away && !workersAway.value;
    away = workersAway.value;
    if (returned && heatFault.peek()) void refresh();
    if (returned && modelFault.peek() && modelName.peek()) void chooseModel(modelName.peek()!);
  });
}

function within(value: number | undefined, otherwise: number): number {
  return value === undefined ? otherwise : Math.min(1, Math.max(0, value));
}
