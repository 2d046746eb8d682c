import assert from "node:assert/strict";
import { test } from "node:test";
import { channelOf, mapOf } from "../src/heat/array";
import { colourTable, divergingTable } from "../src/heat/colours";
import { levelColours, levelOf } from "../src/heat/draw";
import { acrossMap, downMap, frameOf, frameOfPlace, onPhoto, sees } from "../src/heat/frame";
import { resampled, valueAt } from "../src/heat/resample";
import { inWords, scaleOf } from "../src/heat/scale";

const map = (height: number, width: number, values: number[]) => ({ height, width, values: Float32Array.from(values) });

test("a channel is every K-th value of an activation", () => {
  const activation = { shape: [1, 2, 3], values: Float32Array.of(1, -2, 0.5, 4, 5, 6) };
  assert.deepEqual([...channelOf(activation, 1).values], [-2, 5]);
});

test("the second of several maps begins after the first", () => {
  const maps = { shape: [2, 1, 2], values: Float32Array.of(1, 2, 3, 4) };
  assert.deepEqual([...mapOf(maps, 1).values], [3, 4]);
  assert.throws(() => mapOf({ shape: [3], values: Float32Array.of(1, 2, 3) }), /axes/);
});

test("a crop covers the centre of the photo, and a letterbox reaches beyond it", () => {
  const input = { height: 200, width: 200 };
  assert.deepEqual(frameOf(400, 300, input, "crop"), { left: 50, top: 0, width: 300, height: 300 });
  assert.deepEqual(frameOf(400, 300, input, "letterbox"), { left: 0, top: -50, width: 400, height: 400 });
  assert.deepEqual(frameOf(400, 300, input, "stretch"), { left: 0, top: 0, width: 400, height: 300 });
  assert.deepEqual(frameOf(400, 300, { height: null, width: null }, "crop"), { left: 0, top: 0, width: 400, height: 300 });
  assert.deepEqual(onPhoto(frameOf(400, 300, input, "letterbox"), 400, 300), { left: 0, top: 0, width: 400, height: 300 });
  assert.deepEqual(frameOf(100, 300, { height: 100, width: 200 }, "crop"), { left: 0, top: 125, width: 100, height: 50 });
});

test("a map lies in the area of its cells, and is seen where its layer looks", () => {
  const frame = frameOfPlace({ area: [10, -20, 100, 200], seen: [15, 0, 90, 160], mirrored: [false, true] });
  assert.deepEqual([acrossMap(frame, -20), acrossMap(frame, 30), acrossMap(frame, 180)], [1, 0.75, 0]);
  assert.deepEqual([downMap(frame, 10), downMap(frame, 35), downMap(frame, 110)], [0, 0.25, 1]);
  assert.deepEqual(onPhoto(frame, 160, 100), { left: 0, top: 15, width: 160, height: 85 });
  assert.deepEqual([sees(frame, 80, 14), sees(frame, 80, 16), sees(frame, 161, 50)], [false, true, false]);
});

test("values between the centres of cells are in proportion", () => {
  const four = map(2, 2, [0, 1, 2, 3]); // the centres lie at 1/4 and 3/4
  assert.equal(valueAt(four, 0.25, 0.25), 0);
  assert.equal(valueAt(four, 0.75, 0.75), 3);
  assert.equal(valueAt(four, 0.5, 0.25), 0.5);
  assert.equal(valueAt(four, 0.5, 0.5), 1.5);
  assert.equal(valueAt(four, 0, 0), 0); // beyond the outermost centre
  assert.equal(valueAt(four, 1, 0), 1);
});

test("the smooth map goes through the cells' values and has the known values of cubic convolution between them", () => {
  const row = map(1, 4, [0, 0, 1, 0]);
  const at = (cell: number) => resampled(row, Float64Array.of((cell + 0.5) / 4), Float64Array.of(0.5)).values[0]!;
  assert.equal(at(2), 1);
  assert.equal(at(1), 0);
  assert.equal(at(1.5), 9 / 16); // half-way, the weights are −1/16, 9/16, 9/16, −1/16
  assert.equal(at(0.5), -1 / 16);
  const constant = resampled(map(2, 3, [5, 5, 5, 5, 5, 5]), Float64Array.of(0.1, 0.77), Float64Array.of(0.3));
  assert.deepEqual([...constant.values], [5, 5]);
  assert.deepEqual([constant.height, constant.width], [1, 2]);
});

test("a scale begins at zero, and has zero in the middle if there are two signs", () => {
  assert.deepEqual(scaleOf(map(1, 3, [2, 3, 8])), { low: 0, high: 8, signed: false, clipped: false });
  assert.deepEqual(scaleOf(map(1, 3, [-2, 0, 1])), { low: -2, high: 2, signed: true, clipped: false });
  assert.deepEqual(scaleOf(map(1, 2, [0, 0])), { low: 0, high: 0, signed: false, clipped: false });
  assert.equal(scaleOf(map(1, 2, [NaN, 4])).high, 4);
});

test("a few extreme pixels do not set the scale of a large map", () => {
  const values = Array.from({ length: 4000 }, (_, at) => (at < 10 ? 1000 : (at % 100) / 100));
  const scale = scaleOf(map(40, 100, values));
  assert.equal(scale.high, Math.fround(0.99));
  assert.equal(scale.clipped, true);
});

test("levels and colours follow the scale", () => {
  const scale = { low: 0, high: 4, signed: false, clipped: false };
  assert.deepEqual([levelOf(0, scale), levelOf(4, scale), levelOf(9, scale), levelOf(-1, scale), levelOf(2, scale)], [0, 255, 255, 0, 128]);
  const view = { colormap: "gray" as const, opacity: 0.5, threshold: 0.5, wipe: 0 };
  const colours = levelColours(scale, view);
  assert.equal(colours[4 * 100 + 3], 0); // below the threshold
  assert.deepEqual([...colours.slice(4 * 255)], [255, 255, 255, 128]);
  assert.deepEqual([...colourTable("gray").slice(3 * 77, 3 * 77 + 3)], [77, 77, 77]);
});

test("the two signs have the service's red and blue", () => {
  const table = divergingTable();
  assert.deepEqual([...table.slice(0, 3)], [33, 102, 172]);
  assert.deepEqual([...table.slice(765)], [178, 24, 43]);
});

test("numbers are short", () => {
  assert.deepEqual([0, 0.1234, -2.5, 12345, NaN].map(inWords), ["0", "0.123", "−2.50", "1.2e+4", "not a number"]);
});
