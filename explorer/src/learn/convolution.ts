// A convolution by hand, on a small grey picture.
import type { HeatMap } from "../heat/array";

export interface Kernel {
  name: string;
  /** Nine weights, in rows. */
  weights: number[];
  words: string;
}

export const KERNELS: Kernel[] = [
  { name: "vertical edges", weights: [-1, 0, 1, -2, 0, 2, -1, 0, 1], words: "It is large where the picture becomes brighter from left to right." },
  { name: "horizontal edges", weights: [-1, -2, -1, 0, 0, 0, 1, 2, 1], words: "It is large where the picture becomes brighter from top to bottom." },
  { name: "blur", weights: [1, 1, 1, 1, 1, 1, 1, 1, 1].map((each) => each / 9), words: "It is the mean of nine pixels, so fine detail is lost." },
  { name: "sharpen", weights: [0, -1, 0, -1, 5, -1, 0, -1, 0], words: "It is the pixel, plus its difference to its four neighbours." },
];

export const SIDE = 3;

/** Return the patch of a picture under the kernel at an output position: nine values, in rows. */
export function patchAt(picture: HeatMap, row: number, column: number): number[] {
  return Array.from({ length: SIDE * SIDE }, (_, at) => picture.values[(row + Math.floor(at / SIDE)) * picture.width + column + (at % SIDE)]!);
}

/** Return the sum of the products of a patch and a kernel's weights. */
export function response(patch: number[], weights: number[]): number {
  return patch.reduce((sum, value, at) => sum + value * weights[at]!, 0);
}

/** Return the convolution of a picture without padding: two rows and two columns fewer. */
export function convolve(picture: HeatMap, weights: number[]): HeatMap {
  const [height, width] = [picture.height - SIDE + 1, picture.width - SIDE + 1];
  const values = Float32Array.from({ length: height * width }, (_, at) => response(patchAt(picture, Math.floor(at / width), at % width), weights));
  return { height, width, values };
}

/** Return a map in which negative values are 0. */
export function relu(map: HeatMap): HeatMap {
  return { ...map, values: map.values.map((value) => Math.max(value, 0)) };
}

/** Return the largest value of each window of 2 × 2. A last odd row or column is left out. */
export function maxPool(map: HeatMap): HeatMap {
  const [height, width] = [Math.floor(map.height / 2), Math.floor(map.width / 2)];
  const at = (row: number, column: number) => map.values[row * map.width + column]!;
  const values = Float32Array.from({ length: height * width }, (_, cell) => {
    const [row, column] = [2 * Math.floor(cell / width), 2 * (cell % width)];
    return Math.max(at(row, column), at(row, column + 1), at(row + 1, column), at(row + 1, column + 1));
  });
  return { height, width, values };
}
