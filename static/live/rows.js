/** How numbers lie in buffers: eight samples side by side are a row, an image is rows [place][channel]. */

import { size } from "./shapes.js";

/** @typedef {import("./check.js").Operation} Operation */

export const LANES = 8;
export const ROW = 4 * LANES; // bytes

/**
 * Each value eight times, a row.
 * @param {Float32Array} values
 * @returns {Float32Array}
 */
export function inRows(values) {
  const rows = new Float32Array(values.length * LANES);
  values.forEach((value, i) => rows.fill(value, i * LANES, (i + 1) * LANES));
  return rows;
}

/**
 * Which element, in torch's order, each row holds: of an image, [place][channel].
 * @param {number[]} shape
 * @returns {number[]}
 */
export function rowOrder(shape) {
  const [channels, ...sides] = shape;
  const places = size(sides);
  return Array.from({ length: places * channels }, (_, row) => (row % channels) * places + Math.floor(row / channels));
}

/**
 * @param {number[]} order
 * @returns {number[]}
 */
export function inverse(order) {
  /** @type {number[]} */
  const result = new Array(order.length);
  order.forEach((from, to) => (result[from] = to));
  return result;
}

/**
 * For an operation that moves numbers, which element of the input an element of the output is.
 * @param {Operation} operation
 * @param {number[]} from the input's shape
 * @returns {(element: number) => number}
 */
export function sourceOf({ op, shape, factor }, from) {
  if (op === "reshape") return (element) => element;
  const [, height, width] = shape;
  const [, rows, columns] = from;
  return (element) => {
    const channel = Math.floor(element / (height * width));
    const y = Math.floor(element / width) % height;
    const x = element % width;
    const part = (/** @type {number} */ v) => v % factor;
    const whole = (/** @type {number} */ v) => Math.floor(v / factor);
    const index = (/** @type {number} */ c, /** @type {number} */ v, /** @type {number} */ u) =>
      (c * rows + v) * columns + u;
    if (op === "upsample") return index(channel, whole(y), whole(x));
    if (op === "pixel_shuffle") return index(channel * factor ** 2 + part(y) * factor + part(x), whole(y), whole(x));
    const inside = channel % factor ** 2; // pixel_unshuffle
    return index(
      Math.floor(channel / factor ** 2),
      y * factor + Math.floor(inside / factor),
      x * factor + (inside % factor),
    );
  };
}
