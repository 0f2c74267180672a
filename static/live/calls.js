/** Steps as calls of the kernel. */

import { layerOf, packed, productTable, singleTable } from "./layers.js";
import { LANES, inRows, inverse, rowOrder, sourceOf } from "./rows.js";
import { CLASSES } from "./rules.js";
import { channelwise, elementwise, groupNorm, modulation } from "./scales.js";
import { size } from "./shapes.js";

/** @typedef {import("./check.js").Operation} Operation */
/** @typedef {import("./fuse.js").Step} Step */
/** @typedef {import("./plan.js").Call} Call */
/** @typedef {import("./plan.js").Plan} Plan */
/** @typedef {import("./safetensors.js").Tensor} Tensor */

export const ACTIVATIONS = ["tanh", "sigmoid", "silu", "clamp"];

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call[]}
 */
export function callsOf(plan, step) {
  const { operation } = step;
  if (ACTIVATIONS.includes(operation.op)) return [activation(plan, step)];
  switch (operation.op) {
    case "linear":
    case "embed":
    case "convolution":
    case "transposed_convolution":
      return [product(plan, step)];
    case "batch_norm":
    case "rescale":
    case "relu":
    case "leaky_relu":
      return [channelwise(plan, step)];
    case "affine":
      return [elementwise(plan, step)];
    case "modulate":
      return [modulation(plan, step)];
    case "group_norm":
      return groupNorm(plan, step);
    case "add":
      return [sum(plan, step)];
    case "concatenate":
      return concatenation(plan, step);
    case "sinusoids":
      return [sinusoids(plan, step)];
    case "mixture":
    case "class_mixture":
      return [mixture(plan, step)];
    default:
      return [rearrangement(plan, step)];
  }
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
function product(plan, step) {
  const { kernels } = plan;
  const { operation, slope = 1 } = step;
  const layer = layerOf(step, plan.tensors, shapeRead(plan, step));
  const { outputs, inputs, taps, places } = layer;
  const x = plan.pointer(step.inputs[0]);
  const out = plan.pointer(step.output);
  const strides = [layer.inputs * placesRead(plan, step) * LANES, outputs * places * LANES];
  if (outputs === 1 && places > 1) {
    const { table, groups } = singleTable(layer);
    const zeros = plan.memory.constant(new Float32Array(inputs * LANES));
    const [w, b, t] = [layer.weights, layer.bias, table].map((numbers) => plan.memory.constant(numbers));
    return (blocks) => kernels.single(x, w, b, out, t, groups, blocks, strides[0], strides[1], inputs, zeros, slope);
  }
  const { weights, bias } = packed(layer);
  const [w, b, t] = [weights, bias, productTable(layer)].map((numbers) => plan.memory.constant(numbers));
  const call = (/** @type {number} */ blocks) =>
    kernels.product(x, w, b, out, t, places, blocks, strides[0], strides[1], outputs, inputs, taps, slope);
  return operation.none ? orNone(plan, operation, out, call) : call;
}

/**
 * The shape of what a step reads; of an enlarged image, before it was.
 * @param {Plan} plan
 * @param {Step} step
 * @returns {number[]}
 */
function shapeRead(plan, { inputs, operation, upsampled }) {
  const first = upsampled ? inputs[0] : /** @type {number[]} */ (operation.inputs)[0];
  const { shape } = plan.program.operations[first];
  return shape;
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {number}
 */
function placesRead(plan, step) {
  return size(shapeRead(plan, step).slice(1));
}

/**
 * An embedding, or where no class is told, the vector for that.
 * @param {Plan} plan
 * @param {Operation} operation
 * @param {number} out
 * @param {Call} call
 * @returns {Call}
 */
function orNone(plan, operation, out, call) {
  const none = /** @type {Tensor} */ (plan.tensors.get(operation.none)).data;
  const rows = plan.memory.constant(inRows(none));
  const count = none.length * LANES;
  return (blocks) => {
    if (plan.told) call(blocks);
    else
      for (let block = 0; block < blocks; block++)
        plan.machine.f32.copyWithin((out >> 2) + block * count, rows >> 2, (rows >> 2) + count);
  };
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
function activation(plan, { operation, inputs, output }) {
  const { kernels } = plan;
  const x = plan.pointer(inputs[0]);
  const out = plan.pointer(output);
  const count = plan.rows(output) * LANES;
  const kind = ACTIVATIONS.indexOf(operation.op);
  const { low = 0, high = 0 } = operation;
  return (blocks) => {
    if (x !== out) plan.machine.f32.copyWithin(out >> 2, x >> 2, (x >> 2) + blocks * count);
    kernels.activate(out, blocks * count, kind, low, high);
  };
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
function sum(plan, { inputs, output }) {
  const { kernels } = plan;
  const [x, y] = inputs.map((at) => plan.pointer(at));
  const out = plan.pointer(output);
  const count = plan.rows(output) * LANES;
  return (blocks) => kernels.combine(x, y, out, blocks * count, 1);
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call[]}
 */
function concatenation(plan, { operation, output }) {
  const [channels, ...sides] = operation.shape;
  const places = size(sides);
  const inputs = /** @type {number[]} */ (operation.inputs);
  let before = 0;
  return inputs.map((at) => {
    const [own] = plan.program.operations[at].shape;
    const table = [];
    const first = before;
    for (let row = 0; row < places * own; row++)
      table.push(row, Math.floor(row / own) * channels + first + (row % own));
    before += own;
    return copying(plan, at, output, table);
  });
}

/**
 * Enlarging, shuffling, reshaping: every row of the output is one of the input's.
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
function rearrangement(plan, { operation, output }) {
  const [at] = /** @type {number[]} */ (operation.inputs);
  const from = plan.program.operations[at].shape;
  const target = rowOrder(operation.shape);
  const rowOf = inverse(rowOrder(from));
  const source = sourceOf(operation, from);
  return copying(
    plan,
    at,
    output,
    target.flatMap((element, row) => [rowOf[source(element)], row]),
  );
}

/**
 * @param {Plan} plan
 * @param {number} at
 * @param {number} output
 * @param {number[]} pairs
 * @returns {Call}
 */
function copying(plan, at, output, pairs) {
  const { kernels } = plan;
  const x = plan.pointer(at);
  const out = plan.pointer(output);
  const table = plan.memory.constant(Int32Array.from(pairs));
  const strides = [plan.rows(at) * LANES, plan.rows(output) * LANES];
  return (blocks) => kernels.copy(x, out, table, pairs.length / 2, blocks, strides[0], strides[1]);
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
function sinusoids(plan, { operation, output }) {
  const out = plan.pointer(output) >> 2;
  const frequencies = Float32Array.from(operation.frequencies);
  const { length } = frequencies;
  return (blocks) => {
    const { f32 } = plan.machine;
    for (let i = 0; i < blocks * 2 * length; i++) {
      const angle = Math.fround(frequencies[i % length] * Math.fround(plan.time));
      f32.fill(Math.floor(i / length) % 2 ? Math.cos(angle) : Math.sin(angle), out + i * LANES, out + (i + 1) * LANES);
    }
  };
}

/**
 * The latent's buffer holds its samples one after the other here, not side by side.
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
function mixture(plan, { operation, inputs, output }) {
  const { kernels } = plan;
  const [d] = operation.shape;
  const triangle = (d * (d + 1)) / 2;
  const [weights, means, cholesky] = ["weights", "means", "cholesky"].map((key) => {
    const { data } = /** @type {Tensor} */ (plan.tensors.get(operation[key]));
    return data.subarray(0, (data.length / mostComponents(plan, operation)) * operation.components);
  });
  const m = plan.memory.constant(means);
  const packedFactors = plan.memory.constant(cholesky);
  const edges = cumulative(weights);
  const z = plan.pointer(inputs[0]);
  const y = inputs.length > 1 ? plan.pointer(inputs[1]) >> 2 : null;
  const out = plan.pointer(output);
  const pitch = 1 + d;
  return (blocks) => {
    const { f32 } = plan.machine;
    for (let sample = 0; sample < blocks * LANES; sample++) {
      const own = z + 4 * sample * pitch;
      const lane = sample % LANES;
      const block = Math.floor(sample / LANES);
      const shared = y === null ? edges : cumulative(shares(weights, f32, y + block * CLASSES * LANES + lane));
      const picked = pick(shared, f32[own >> 2]);
      const to = out + 4 * (block * d * LANES + lane);
      kernels.triangle(packedFactors + 4 * picked * triangle, m + 4 * picked * d, own + 4, to, d);
    }
  };
}

/**
 * The weights of the components, each times the share of its class; every class has a tenth of them in turn.
 * @param {Float32Array} weights
 * @param {Float32Array} f32
 * @param {number} at the first of the sample's ten shares, which are LANES apart
 * @returns {Float32Array}
 */
function shares(weights, f32, at) {
  const room = weights.length / CLASSES;
  return weights.map((weight, k) => weight * f32[at + Math.floor(k / room) * LANES]);
}

/**
 * @param {Plan} plan
 * @param {Operation} operation
 * @returns {number}
 */
function mostComponents(plan, operation) {
  return /** @type {Tensor} */ (plan.tensors.get(operation.means)).shape[0];
}

/**
 * Running sums, added in double precision and kept in single, as torch has them.
 * @param {Float32Array} weights
 * @returns {Float32Array}
 */
function cumulative(weights) {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}

/**
 * The first component whose running sum exceeds a uniform number, or that reaches the last sum.
 * @param {Float32Array} edges
 * @param {number} uniform
 * @returns {number}
 */
function pick(edges, uniform) {
  const last = edges[edges.length - 1];
  return edges.findIndex((edge) => edge > uniform || edge === last);
}
