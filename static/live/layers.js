/** Layers as the kernel takes them: weights in blocks of four outputs, norms folded in, what each tap reads. */

import { size } from "./shapes.js";

/** @typedef {import("./safetensors.js").Tensor} Tensor */
/** @typedef {import("./check.js").Operation} Operation */
/** @typedef {import("./fuse.js").Step} Step */

/**
 * A sum of products: output o at a place is bias[o] plus, over taps t and inputs i, weights[(o taps + t) inputs + i]
 * times input i at the place that the tap reads.
 * @typedef {object} Layer
 * @property {number} outputs
 * @property {number} inputs
 * @property {number} taps
 * @property {Float32Array} weights
 * @property {Float32Array} bias
 * @property {number} places
 * @property {(place: number) => [number, number][]} reads taps and the places they read, -1 beyond the edge
 */

const { fround } = Math;

/**
 * The layer of a step, with its norms folded in.
 * @param {Step} step
 * @param {Map<string, Tensor>} tensors
 * @param {number[]} from the input's shape
 * @returns {Layer}
 */
export function layerOf(step, tensors, from) {
  const layer = plainLayer(step, tensors, from);
  for (const norm of step.norms) foldNorm(layer, norm, tensors);
  return layer;
}

/**
 * @param {Step} step
 * @param {Map<string, Tensor>} tensors
 * @param {number[]} from
 * @returns {Layer}
 */
function plainLayer({ operation, upsampled }, tensors, from) {
  const weight = found(tensors, operation.weight);
  const bias = tensors.get(operation.bias)?.data.slice();
  switch (operation.op) {
    case "linear":
      return dense(weight.shape[0], weight.shape[1], weight.data.slice(), bias);
    case "embed":
      return dense(weight.shape[1], weight.shape[0], reordered(weight, [1, 0]), bias);
    case "convolution":
      if (upsampled) return transposed(enlarging(weight), 2, 1, from, operation.shape, bias);
      return convolution(weight, operation, from, bias);
    default:
      return transposed(
        { shape: weight.shape, data: reordered(weight, [1, 2, 3, 0]) },
        operation.stride,
        operation.padding,
        from,
        operation.shape,
        bias,
      );
  }
}

/**
 * @param {Map<string, Tensor>} tensors
 * @param {string} name
 * @returns {Tensor}
 */
function found(tensors, name) {
  return /** @type {Tensor} */ (tensors.get(name)); // check.js has seen to it
}

/**
 * @param {number} outputs
 * @param {number} inputs
 * @param {Float32Array} weights
 * @param {Float32Array} [bias]
 * @returns {Layer}
 */
function dense(outputs, inputs, weights, bias = new Float32Array(outputs)) {
  return { outputs, inputs, taps: 1, weights, bias, places: 1, reads: () => [[0, 0]] };
}

/**
 * @param {Tensor} weight (o, i, k, k)
 * @param {Operation} operation
 * @param {number[]} from
 * @param {Float32Array} [bias]
 * @returns {Layer}
 */
function convolution(weight, { stride, padding, shape }, from, bias = new Float32Array(shape[0])) {
  const [outputs, inputs, kernel] = weight.shape;
  const [, height, width] = from;
  const reads = (/** @type {number} */ place) => {
    const y = Math.floor(place / shape[2]) * stride - padding;
    const x = (place % shape[2]) * stride - padding;
    return window(kernel, (row, column) => at(y + row, x + column, height, width));
  };
  return {
    outputs,
    inputs,
    taps: kernel * kernel,
    weights: reordered(weight, [0, 2, 3, 1]),
    bias,
    places: shape[1] * shape[2],
    reads,
  };
}

/**
 * A transposed convolution in gather form: an output's place reads the taps from which it is reached.
 * @param {Tensor} weight shape (i, o, k, k), data already [o][k][k][i]
 * @param {number} stride
 * @param {number} padding
 * @param {number[]} from
 * @param {number[]} shape
 * @param {Float32Array} [bias]
 * @returns {Layer}
 */
function transposed(weight, stride, padding, from, shape, bias = new Float32Array(shape[0])) {
  const [inputs, outputs, kernel] = weight.shape;
  const [, height, width] = from;
  const reads = (/** @type {number} */ place) => {
    const y = Math.floor(place / shape[2]) + padding;
    const x = (place % shape[2]) + padding;
    return window(kernel, (row, column) => {
      if ((y - row) % stride || (x - column) % stride) return undefined;
      return at((y - row) / stride, (x - column) / stride, height, width);
    });
  };
  return { outputs, inputs, taps: kernel * kernel, weights: weight.data, bias, places: shape[1] * shape[2], reads };
}

/**
 * The taps of a window with what they read; those that read nothing anywhere (undefined) are left out.
 * @param {number} kernel
 * @param {(row: number, column: number) => number | undefined} read
 * @returns {[number, number][]}
 */
function window(kernel, read) {
  /** @type {[number, number][]} */
  const taps = [];
  for (let row = 0; row < kernel; row++) {
    for (let column = 0; column < kernel; column++) {
      const place = read(row, column);
      if (place !== undefined) taps.push([row * kernel + column, place]);
    }
  }
  return taps;
}

/**
 * A place's number, -1 beyond the edges.
 * @param {number} y
 * @param {number} x
 * @param {number} height
 * @param {number} width
 * @returns {number}
 */
function at(y, x, height, width) {
  return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : -1;
}

/**
 * A tensor's numbers with its dimensions in another order.
 * @param {Tensor} tensor
 * @param {number[]} order
 * @returns {Float32Array}
 */
function reordered({ shape, data }, order) {
  const strides = shape.map((_, i) => size(shape.slice(i + 1)));
  const sides = order.map((i) => shape[i]);
  const steps = order.map((i) => strides[i]);
  const result = new Float32Array(data.length);
  const index = sides.map(() => 0);
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = data[from];
    for (let i = sides.length - 1; i >= 0; i--) {
      from += steps[i];
      if (++index[i] < sides[i]) break;
      from -= steps[i] * sides[i];
      index[i] = 0;
    }
  }
  return result;
}

/**
 * The 4 x 4 kernel of the transposed convolution of stride 2 that enlarging by two and a 3 x 3 convolution amount to:
 * the kernel turned around and summed over 2 x 2 windows.
 * @param {Tensor} weight (o, i, 3, 3)
 * @returns {Tensor} shape (i, o, 4, 4), data [o][4][4][i]
 */
function enlarging({ shape: [outputs, inputs], data }) {
  const result = new Float32Array(outputs * 16 * inputs);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const kernel = data.subarray((o * inputs + i) * 9, (o * inputs + i + 1) * 9);
      for (let tap = 0; tap < 16; tap++) {
        let sum = 0;
        for (let row = (tap >> 2) - 1; row <= tap >> 2; row++) {
          for (let column = (tap & 3) - 1; column <= (tap & 3); column++) {
            if (row >= 0 && row < 3 && column >= 0 && column < 3) sum += kernel[8 - (row * 3 + column)];
          }
        }
        result[(o * 16 + tap) * inputs + i] = sum;
      }
    }
  }
  return { shape: [inputs, outputs, 4, 4], data: result };
}

/**
 * What a batch norm multiplies each channel by and adds to it.
 * @param {Operation} norm
 * @param {Map<string, Tensor>} tensors
 * @returns {{scale: Float32Array, shift: Float32Array}}
 */
export function normConstants(norm, tensors) {
  const mean = found(tensors, norm.mean).data;
  const variance = found(tensors, norm.variance).data;
  const weight = tensors.get(norm.weight)?.data;
  const bias = tensors.get(norm.bias)?.data;
  const scale = variance.map((value, i) => (weight ? weight[i] : 1) / Math.sqrt(value + norm.eps));
  return { scale, shift: mean.map((value, i) => (bias ? bias[i] : 0) - value * scale[i]) };
}

/**
 * Work a batch norm into weights and bias; a channel may have several of a dense layer's outputs.
 * @param {Layer} layer
 * @param {Operation} norm
 * @param {Map<string, Tensor>} tensors
 */
function foldNorm(layer, norm, tensors) {
  const { scale, shift } = normConstants(norm, tensors);
  const row = layer.taps * layer.inputs;
  const share = layer.outputs / scale.length;
  for (let o = 0; o < layer.outputs; o++) {
    const channel = Math.floor(o / share);
    for (let i = o * row; i < (o + 1) * row; i++) layer.weights[i] *= scale[channel];
    layer.bias[o] = fround(layer.bias[o] * scale[channel]) + shift[channel];
  }
}

/**
 * Weights and bias in blocks of four outputs: [outputs / 4][taps][inputs][4], the last filled up with zeros.
 * @param {Layer} layer
 * @returns {{weights: Float32Array, bias: Float32Array}}
 */
export function packed({ outputs, inputs, taps, weights, bias }) {
  const blocks = Math.ceil(outputs / 4);
  const row = taps * inputs;
  const result = new Float32Array(blocks * row * 4);
  const padded = new Float32Array(blocks * 4);
  padded.set(bias);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < row; i++) result[((o >> 2) * row + i) * 4 + (o & 3)] = weights[o * row + i];
  }
  return { weights: result, bias: padded };
}

/**
 * The table of `product` in kernel.c.
 * @param {Layer} layer
 * @returns {Int32Array}
 */
export function productTable({ places, reads }) {
  const table = [];
  for (let place = 0; place < places; place++) {
    const inside = reads(place).filter(([, from]) => from >= 0);
    table.push(inside.length);
    for (const [tap, from] of inside) table.push(from, tap);
  }
  return Int32Array.from(table);
}

/**
 * The table of `single` in kernel.c, and its number of groups.
 * @param {Layer} layer
 * @returns {{table: Int32Array, groups: number}}
 */
export function singleTable({ places, reads }) {
  /** @type {Map<string, {place: number, taps: [number, number][]}[]>} */
  const alike = new Map(); // places that read the same taps
  for (let place = 0; place < places; place++) {
    const taps = reads(place);
    const key = taps.map(([tap]) => tap).join();
    const members = alike.get(key) ?? [];
    members.push({ place, taps });
    alike.set(key, members);
  }
  const table = [];
  let groups = 0;
  for (const members of alike.values()) {
    for (let first = 0; first < members.length; first += 4, groups++) {
      const group = [0, 1, 2, 3].map((i) => members[Math.min(first + i, members.length - 1)]);
      table.push(group[0].taps.length, ...group.map(({ place }) => place));
      group[0].taps.forEach(([tap], i) => table.push(tap, ...group.map(({ taps }) => taps[i][1])));
    }
  }
  return { table: Int32Array.from(table), groups };
}
