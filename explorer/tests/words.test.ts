import assert from "node:assert/strict";
import { test } from "node:test";
import { convolve, KERNELS, maxPool, relu } from "../src/learn/convolution";
import { edgesOf, rowsOf } from "../src/state/layer_graph";
import { readPermalink, writePermalink } from "../src/state/permalink";
import { curlCall, pythonCall } from "../src/words/calls";
import { familiesOf } from "../src/words/families";
import { fieldOf, typedValue } from "../src/words/schema";
import type { Layer, Method } from "../src/service/types";

const layer = (path: string, ...inbound: string[]) =>
  ({ path, inbound, type: "Conv2D", kind: "conv", output_shape: [1, 1, 1], parameters: 0, channels: 1, receptive_field: null, cam_able: true }) as Layer;
const LAYERS = [layer("image"), layer("base/in", "image"), layer("base/conv", "base/in"), layer("add", "image", "base/conv")];

test("a nested model is one row until it is opened, and edges end at that row", () => {
  const folded = rowsOf(LAYERS, new Set(), () => true);
  assert.deepEqual(folded.map((row) => [row.path, row.nested]), [["image", null], ["base", 2], ["add", null]]);
  assert.deepEqual(edgesOf(folded, LAYERS), [{ from: 0, to: 1 }, { from: 0, to: 2 }, { from: 1, to: 2 }]);
  const opened = rowsOf(LAYERS, new Set(["base"]), () => true);
  assert.deepEqual(opened.map((row) => [row.path, row.depth]), [["image", 0], ["base", 0], ["base/in", 1], ["base/conv", 1], ["add", 0]]);
  assert.deepEqual(edgesOf(opened, LAYERS), [{ from: 0, to: 2 }, { from: 2, to: 3 }, { from: 0, to: 4 }, { from: 3, to: 4 }]);
});

test("a search leaves out the other layers", () => {
  const rows = rowsOf(LAYERS, new Set(["base"]), (each) => each.path.includes("conv"));
  assert.deepEqual(rows.map((row) => row.path), ["base", "base/conv"]);
});

test("a permalink restores what it was written from", () => {
  const link = { model: "vgg16", photo: "sample:cat", method: "layer_cam", classIndex: 0, params: { layer: "a/b", augment: true }, opacity: 0.4, layer: "a/b", channel: 12 };
  assert.deepEqual(readPermalink(writePermalink(link)), link);
  assert.deepEqual(readPermalink("#model=x&params={&channel=abc"), { model: "x" });
});

test("fields follow the schema", () => {
  const whole = { $defs: { Kind: { enum: ["conv", "dense"], type: "string" } } };
  assert.deepEqual(fieldOf({ anyOf: [{ $ref: "#/$defs/Kind" }, { type: "null" }] }, whole), { nullable: true, shape: { kind: "choice", values: ["conv", "dense"] } });
  assert.deepEqual(fieldOf({ type: "integer", minimum: 1, maximum: 9 }, whole), { nullable: false, shape: { kind: "number", whole: true, min: 1, max: 9 } });
  assert.deepEqual(fieldOf({ type: "boolean" }, whole).shape, { kind: "flag" });
  const annotate = { anyOf: [{ type: "boolean" }, { const: "side_by_side", type: "string" }], default: true };
  assert.deepEqual(fieldOf(annotate, whole).shape, { kind: "choice", values: [true, false, "side_by_side"] });
  assert.deepEqual(fieldOf({ anyOf: [{ type: "string" }, { type: "array" }] }, whole).shape, { kind: "json" });
  assert.deepEqual(["head_relu", "[1, 2]", "3"].map(typedValue), ["head_relu", [1, 2], 3]);
});

test("the calls quote what a shell would read", () => {
  const call = { service: "http://host", method: "grad_cam", model: "m", fileName: "my cat.jpg", params: { layer: ["a", "b"] }, key: false };
  const text = curlCall(call);
  assert.match(text, /-F 'image=@my cat\.jpg'/);
  assert.match(text, /-F 'layer=\["a","b"\]'/);
  assert.match(text, /http:\/\/host\/v1\/grad_cam -o grad_cam\.png$/);
  assert.match(pythonCall({ ...call, params: { layer: null, augment: true } }), /"layer": None, "augment": True/);
});

test("a convolution by hand", () => {
  const picture = { height: 3, width: 4, values: Float32Array.of(0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1) };
  const edges = convolve(picture, KERNELS[0]!.weights);
  assert.deepEqual([edges.height, edges.width, ...edges.values], [1, 2, 4, 4]); // 1·1 + 2·1 + 1·1 at both places
  assert.deepEqual([...relu({ ...picture, values: picture.values.map((value) => value - 0.5) }).values].slice(0, 4), [0, 0, 0.5, 0.5]);
  assert.deepEqual([...maxPool(picture).values], [0, 1]);
});

test("every method has one family, and compare and methods of several photos have their own", () => {
  const method = (name: string, family: string, properties = {}) => ({ name, family, parameters: { properties } }) as Method;
  const methods = [method("eigen_cam", "cam"), method("compare", "cam"), method("grad_cam", "cam"), method("lime", "perturbation"), method("predict", "inspection"), method("weights", "inspection"), method("brand_new", "unheard_of"), method("mean_map", "sets", { images: {} }), method("rank_methods", "evaluation", { images: {} })];
  const found = familiesOf(methods).map((each) => [each.name, each.methods.map((inside) => inside.name)]);
  assert.deepEqual(found, [["Where", ["grad_cam", "eigen_cam"]], ["Cover it", ["lime"]], ["Compare", ["compare"]], ["Several photos", ["mean_map", "rank_methods"]], ["More", ["weights", "brand_new"]]]);
});
