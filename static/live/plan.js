/** A program as calls of the kernel: where every buffer and constant lies in memory, and what is called in which order. */

import { size } from "./check.js";
import { fuse } from "./fuse.js";
import { layerOf, normConstants, packed, productTable, singleTable } from "./layers.js";

/** @typedef {import("./check.js").Operation} Operation */
/** @typedef {import("./check.js").Program} Program */
/** @typedef {import("./fuse.js").Step} Step */
/** @typedef {import("./kernel.js").Machine} Machine */
/** @typedef {import("./safetensors.js").Tensor} Tensor */
/** @typedef {(blocks: number) => void} Call */

export const LANES = 8;
const ROW = 4 * LANES; // bytes
const CACHE = 2 ** 20; // bytes that the largest buffer may take, so that what one step writes the next finds nearby
const MOST_BLOCKS = 8;
const ACTIVATIONS = ["tanh", "sigmoid", "silu", "clamp"];
const ELEMENTWISE = [...ACTIVATIONS, "relu", "leaky_relu", "batch_norm", "modulate", "affine", "rescale", "add"];

/** Where things lie. Buffers are used again once nothing reads them any more; constants stay. */
class Memory {
  /** @param {number} start first free byte */
  constructor(start) {
    this.end = start;
    /** @type {{pointer: number, bytes: number}[]} */
    this.free = [];
    /** @type {Map<number, number>} bytes of the buffers in use, by pointer */
    this.used = new Map();
    /** @type {[number, Float32Array | Int32Array][]} */
    this.constants = [];
  }

  /** @param {Float32Array | Int32Array} numbers @returns {number} its pointer */
  constant(numbers) {
    const pointer = this.grow(numbers.byteLength);
    this.constants.push([pointer, numbers]);
    return pointer;
  }

  /** The smallest free buffer that is large enough, or a new one. @param {number} bytes @returns {number} its pointer */
  take(bytes) {
    const fitting = this.free.filter((region) => region.bytes >= bytes).sort((one, other) => one.bytes - other.bytes);
    const region = fitting[0] ?? { pointer: this.grow(bytes), bytes };
    this.free = this.free.filter((other) => other !== region);
    this.used.set(region.pointer, region.bytes);
    return region.pointer;
  }

  /** @param {number} pointer */
  release(pointer) {
    this.free.push({ pointer, bytes: this.used.get(pointer) ?? 0 });
    this.used.delete(pointer);
  }

  /** @param {number} bytes @returns {number} */
  grow(bytes) {
    const pointer = Math.ceil(this.end / 64) * 64;
    this.end = pointer + bytes;
    return pointer;
  }
}

/** Everything that is decided once about a program on a machine. */
export class Plan {
  /** @param {Program} program checked @param {Map<string, Tensor>} tensors @param {Machine} machine */
  constructor(program, tensors, machine) {
    this.program = program;
    this.tensors = tensors;
    this.machine = machine;
    this.kernels = machine.kernels;
    const { steps, holder } = fuse(program);
    this.steps = steps;
    this.holder = holder;
    const largest = Math.max(...steps.map(({ operation }) => size(operation.shape)));
    this.blocks = Math.max(1, Math.min(MOST_BLOCKS, Math.floor(CACHE / (largest * ROW))));
    this.memory = new Memory(machine.start);
    /** @type {Map<number, number>} pointers of buffers, by the operation that holds them */
    this.pointers = new Map();
    /** @type {Call[]} */
    this.calls = [];
    this.time = 0; // of the path that is integrated
    this.told = true; // whether the network is told the class
    this.lay();
    machine.open(this.memory.end);
    this.fill();
  }

  /** Decide where every buffer lies and what is called. */
  lay() {
    const last = this.lastReads(), bytes = this.rows(this.program.output) * ROW * this.blocks;
    this.spare = this.program.integrate ? [0, 1, 2].map(() => this.memory.take(bytes)) : []; // the solver's own
    for (const { operation, output } of this.steps) if (!operation.inputs) this.take(output); // written before any call
    this.steps.forEach((step, i) => {
      if (!step.operation.inputs) return;
      const done = [...new Set(step.inputs)].filter((at) => last.get(at) === i);
      const inPlace = ELEMENTWISE.includes(step.operation.op) && done.includes(step.inputs[0]);
      if (inPlace) this.memory.release(this.pointer(step.inputs[0]));
      this.take(step.output);
      this.calls.push(...this.call(step));
      for (const at of done) if (!inPlace || at !== step.inputs[0]) this.memory.release(this.pointer(at));
    });
  }

  /** A buffer for what an operation gives. @param {number} at */
  take(at) {
    this.pointers.set(at, this.memory.take(this.rows(at) * ROW * this.blocks));
  }

  /** The last step that reads each buffer. Inputs are read again at every step of an integration, the output at the end.
   * @returns {Map<number, number>} */
  lastReads() {
    const last = new Map();
    this.steps.forEach((step, i) => step.inputs.forEach((at) => last.set(at, i)));
    last.delete(this.holder[this.program.output]);
    if (this.program.integrate) for (const { operation, output } of this.steps) if (!operation.inputs) last.delete(output);
    return last;
  }

  /** Write the constants to memory, and let go of them and of the tensors. */
  fill() {
    const { f32, i32 } = this.machine;
    for (const [pointer, numbers] of this.memory.constants) {
      (numbers instanceof Float32Array ? f32 : i32).set(numbers, pointer >> 2);
    }
    this.memory.constants = [];
    this.tensors = new Map();
  }

  /** The pointer of what an operation gave. @param {number} at @returns {number} */
  pointer(at) {
    return /** @type {number} */ (this.pointers.get(this.holder[at]));
  }

  /** Rows of a block. @param {number} at @returns {number} */
  rows(at) {
    return size(this.program.operations[at].shape);
  }

  /** The operation of a kind, or -1. @param {string} kind @returns {number} */
  find(kind) {
    return this.program.operations.findIndex(({ op }) => op === kind);
  }

  /** Draw blocks: what lies in the inputs' buffers becomes what lies in the output's. @param {number} blocks */
  run(blocks) {
    for (const call of this.calls) call(blocks);
  }

  /** @param {Step} step @returns {Call[]} */
  call(step) {
    const { operation } = step;
    if (ACTIVATIONS.includes(operation.op)) return [this.activation(step)];
    switch (operation.op) {
      case "linear":
      case "embed":
      case "convolution":
      case "transposed_convolution":
        return [this.product(step)];
      case "batch_norm":
      case "rescale":
      case "relu":
      case "leaky_relu":
        return [this.channelwise(step)];
      case "affine":
        return [this.elementwise(step)];
      case "modulate":
        return [this.modulation(step)];
      case "group_norm":
        return this.groupNorm(step);
      case "add":
        return [this.sum(step)];
      case "concatenate":
        return this.concatenation(step);
      case "sinusoids":
        return [this.sinusoids(step)];
      case "mixture":
        return [this.mixture(step)];
      default:
        return [this.rearrangement(step)];
    }
  }

  /** @param {Step} step @returns {Call} */
  product(step) {
    const { kernels } = this, { operation, slope = 1 } = step;
    const layer = layerOf(step, this.tensors, this.shapeRead(step)), { outputs, inputs, taps, places } = layer;
    const x = this.pointer(step.inputs[0]), out = this.pointer(step.output);
    const strides = [layer.inputs * this.placesRead(step) * LANES, outputs * places * LANES];
    if (outputs === 1 && places > 1) {
      const { table, groups } = singleTable(layer), zeros = this.memory.constant(new Float32Array(inputs * LANES));
      const [w, b, t] = [layer.weights, layer.bias, table].map((numbers) => this.memory.constant(numbers));
      return (blocks) => kernels.single(x, w, b, out, t, groups, blocks, strides[0], strides[1], inputs, zeros, slope);
    }
    const { weights, bias } = packed(layer);
    const [w, b, t] = [weights, bias, productTable(layer)].map((numbers) => this.memory.constant(numbers));
    const call = (/** @type {number} */ blocks) =>
      kernels.product(x, w, b, out, t, places, blocks, strides[0], strides[1], outputs, inputs, taps, slope);
    return operation.none ? this.orNone(operation, out, call) : call;
  }

  /** The shape of what a step reads; of an enlarged image, before it was. @param {Step} step @returns {number[]} */
  shapeRead({ inputs, operation, upsampled }) {
    const first = upsampled ? inputs[0] : /** @type {number[]} */ (operation.inputs)[0];
    const { shape } = this.program.operations[first];
    return shape;
  }

  /** @param {Step} step @returns {number} */
  placesRead(step) {
    return size(this.shapeRead(step).slice(1));
  }

  /** An embedding, or where no class is told, the vector for that. @param {Operation} operation @param {number} out @param {Call} call @returns {Call} */
  orNone(operation, out, call) {
    const none = /** @type {Tensor} */ (this.tensors.get(operation.none)).data;
    const rows = this.memory.constant(inRows(none)), count = none.length * LANES;
    return (blocks) => {
      if (this.told) call(blocks);
      else for (let block = 0; block < blocks; block++) this.machine.f32.copyWithin((out >> 2) + block * count, rows >> 2, (rows >> 2) + count);
    };
  }

  /** Scales and shifts that are constant in a channel. @param {Step} step @returns {Call} */
  channelwise(step) {
    const { operation } = step, [channels] = operation.shape;
    const all = (/** @type {number} */ value) => new Float32Array(channels).fill(value);
    if (operation.op === "batch_norm") {
      const { scale, shift } = normConstants(operation, this.tensors);
      return this.scaled(step, channels, scale, shift);
    }
    if (operation.op === "rescale") return this.scaled(step, channels, all(operation.factor), all(operation.offset));
    return this.scaled({ ...step, slope: operation.slope ?? 0 }, channels, all(1), all(0));
  }

  /** Scales and shifts of each element. @param {Step} step @returns {Call} */
  elementwise(step) {
    const { shape, scale, offset } = step.operation, order = rowOrder(shape);
    const [s, t] = [scale, offset].map((name) => {
      const { data } = /** @type {Tensor} */ (this.tensors.get(name));
      return order.map((from) => data[from]);
    });
    return this.scaled(step, size(shape), Float32Array.from(s), Float32Array.from(t));
  }

  /** @param {Step} step @param {number} channels @param {Float32Array} scale @param {Float32Array} shift @returns {Call} */
  scaled({ inputs, output, slope = 1 }, channels, scale, shift) {
    const { kernels } = this, x = this.pointer(inputs[0]), out = this.pointer(output), rows = this.rows(output);
    const [s, t] = [scale, shift].map((values) => this.memory.constant(inRows(values)));
    return (blocks) => kernels.affine(x, s, t, out, rows / channels, channels, blocks, rows * LANES, 0, 0, slope);
  }

  /** @param {Step} step @returns {Call} */
  modulation({ operation, inputs, output, slope = 1 }) {
    const { kernels } = this, [x, s] = inputs.map((at) => this.pointer(at)), out = this.pointer(output);
    const [channels] = operation.shape, rows = this.rows(output), t = s + channels * ROW;
    return (blocks) =>
      kernels.affine(x, s, t, out, rows / channels, channels, blocks, rows * LANES, 2 * channels * LANES, 1, slope);
  }

  /** @param {Step} step @returns {Call[]} */
  groupNorm({ operation, inputs, output, slope = 1 }) {
    const { kernels } = this, { groups, eps } = operation, [channels] = operation.shape;
    const x = this.pointer(inputs[0]), out = this.pointer(output), rows = this.rows(output), places = rows / channels;
    const constants = (/** @type {string} */ key, /** @type {number} */ otherwise) =>
      this.memory.constant(inRows(this.tensors.get(operation[key])?.data ?? new Float32Array(channels).fill(otherwise)));
    const gamma = constants("weight", 1), beta = constants("bias", 0);
    const s = this.memory.take(2 * channels * ROW * this.blocks), t = s + channels * ROW, stride = 2 * channels * LANES;
    this.memory.release(s);
    return [
      (blocks) => kernels.statistics(x, gamma, beta, s, places, channels, groups, blocks, rows * LANES, stride, eps),
      (blocks) => kernels.affine(x, s, t, out, places, channels, blocks, rows * LANES, stride, 0, slope),
    ];
  }

  /** @param {Step} step @returns {Call} */
  activation({ operation, inputs, output }) {
    const { kernels } = this, x = this.pointer(inputs[0]), out = this.pointer(output), count = this.rows(output) * LANES;
    const kind = ACTIVATIONS.indexOf(operation.op), { low = 0, high = 0 } = operation;
    return (blocks) => {
      if (x !== out) this.machine.f32.copyWithin(out >> 2, x >> 2, (x >> 2) + blocks * count);
      kernels.activate(out, blocks * count, kind, low, high);
    };
  }

  /** @param {Step} step @returns {Call} */
  sum({ inputs, output }) {
    const { kernels } = this, [x, y] = inputs.map((at) => this.pointer(at)), out = this.pointer(output);
    const count = this.rows(output) * LANES;
    return (blocks) => kernels.combine(x, y, out, blocks * count, 1);
  }

  /** @param {Step} step @returns {Call[]} */
  concatenation({ operation, output }) {
    const [channels, ...sides] = operation.shape, places = size(sides), inputs = /** @type {number[]} */ (operation.inputs);
    let before = 0;
    return inputs.map((at) => {
      const [own] = this.program.operations[at].shape, table = [], first = before;
      for (let row = 0; row < places * own; row++) table.push(row, Math.floor(row / own) * channels + first + (row % own));
      before += own;
      return this.copying(at, output, table);
    });
  }

  /** Enlarging, shuffling, reshaping: every row of the output is one of the input's. @param {Step} step @returns {Call} */
  rearrangement({ operation, output }) {
    const [at] = /** @type {number[]} */ (operation.inputs), from = this.program.operations[at].shape;
    const target = rowOrder(operation.shape), rowOf = inverse(rowOrder(from));
    const source = sourceOf(operation, from);
    return this.copying(at, output, target.flatMap((element, row) => [rowOf[source(element)], row]));
  }

  /** @param {number} at @param {number} output @param {number[]} pairs @returns {Call} */
  copying(at, output, pairs) {
    const { kernels } = this, x = this.pointer(at), out = this.pointer(output);
    const table = this.memory.constant(Int32Array.from(pairs)), strides = [this.rows(at) * LANES, this.rows(output) * LANES];
    return (blocks) => kernels.copy(x, out, table, pairs.length / 2, blocks, strides[0], strides[1]);
  }

  /** @param {Step} step @returns {Call} */
  sinusoids({ operation, output }) {
    const out = this.pointer(output) >> 2, frequencies = Float32Array.from(operation.frequencies), { length } = frequencies;
    return (blocks) => {
      const { f32 } = this.machine;
      for (let i = 0; i < blocks * 2 * length; i++) {
        const angle = Math.fround(frequencies[i % length] * Math.fround(this.time));
        f32.fill(Math.floor(i / length) % 2 ? Math.cos(angle) : Math.sin(angle), out + i * LANES, out + (i + 1) * LANES);
      }
    };
  }

  /** The latent's buffer holds its samples one after the other here, not side by side. @param {Step} step @returns {Call} */
  mixture({ operation, inputs, output }) {
    const { kernels } = this, [d] = operation.shape, triangle = (d * (d + 1)) / 2;
    const [weights, means, cholesky] = ["weights", "means", "cholesky"].map((key) => {
      const { data } = /** @type {Tensor} */ (this.tensors.get(operation[key]));
      return data.subarray(0, (data.length / this.mostComponents(operation)) * operation.components);
    });
    const m = this.memory.constant(means), packedFactors = this.memory.constant(cholesky), edges = cumulative(weights);
    const z = this.pointer(inputs[0]), out = this.pointer(output), pitch = 1 + d;
    return (blocks) => {
      for (let sample = 0; sample < blocks * LANES; sample++) {
        const own = z + 4 * sample * pitch, picked = pick(edges, this.machine.f32[own >> 2]);
        const to = out + 4 * (Math.floor(sample / LANES) * d * LANES + (sample % LANES));
        kernels.triangle(packedFactors + 4 * picked * triangle, m + 4 * picked * d, own + 4, to, d);
      }
    };
  }

  /** @param {Operation} operation @returns {number} */
  mostComponents(operation) {
    return /** @type {Tensor} */ (this.tensors.get(operation.means)).shape[0];
  }
}

/** Each value eight times, a row. @param {Float32Array} values @returns {Float32Array} */
function inRows(values) {
  const rows = new Float32Array(values.length * LANES);
  values.forEach((value, i) => rows.fill(value, i * LANES, (i + 1) * LANES));
  return rows;
}

/** Which element, in torch's order, each row holds: of an image, [place][channel]. @param {number[]} shape @returns {number[]} */
export function rowOrder(shape) {
  const [channels, ...sides] = shape, places = size(sides);
  return Array.from({ length: places * channels }, (_, row) => (row % channels) * places + Math.floor(row / channels));
}

/** @param {number[]} order @returns {number[]} */
function inverse(order) {
  /** @type {number[]} */
  const result = new Array(order.length);
  order.forEach((from, to) => (result[from] = to));
  return result;
}

/**
 * For an operation that moves numbers, which element of the input an element of the output is.
 * @param {Operation} operation @param {number[]} from the input's shape @returns {(element: number) => number}
 */
function sourceOf({ op, shape, factor }, from) {
  if (op === "reshape") return (element) => element;
  const [, height, width] = shape, [, rows, columns] = from;
  return (element) => {
    const channel = Math.floor(element / (height * width)), y = Math.floor(element / width) % height, x = element % width;
    const part = (/** @type {number} */ v) => v % factor, whole = (/** @type {number} */ v) => Math.floor(v / factor);
    const index = (/** @type {number} */ c, /** @type {number} */ v, /** @type {number} */ u) => (c * rows + v) * columns + u;
    if (op === "upsample") return index(channel, whole(y), whole(x));
    if (op === "pixel_shuffle") return index(channel * factor ** 2 + part(y) * factor + part(x), whole(y), whole(x));
    const inside = channel % factor ** 2; // pixel_unshuffle
    return index(Math.floor(channel / factor ** 2), y * factor + Math.floor(inside / factor), x * factor + (inside % factor));
  };
}

/** Running sums, added in double precision and kept in single, as torch has them. @param {Float32Array} weights @returns {Float32Array} */
function cumulative(weights) {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}

/** The first component whose running sum exceeds a uniform number. @param {Float32Array} edges @param {number} uniform @returns {number} */
function pick(edges, uniform) {
  const found = edges.findIndex((edge) => edge > uniform);
  return found < 0 ? edges.length - 1 : found;
}
