/** Steps that scale and shift what they read: norms, modulation, constants. */

import { normConstants } from "./layers.js";
import { LANES, ROW, inRows, rowOrder } from "./rows.js";
import { size } from "./shapes.js";

/** @typedef {import("./fuse.js").Step} Step */
/** @typedef {import("./plan.js").Call} Call */
/** @typedef {import("./plan.js").Plan} Plan */
/** @typedef {import("./safetensors.js").Tensor} Tensor */

/**
 * Scales and shifts that are constant in a channel.
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
export function channelwise(plan, step) {
  const { operation } = step;
  const [channels] = operation.shape;
  const all = (/** @type {number} */ value) => new Float32Array(channels).fill(value);
  if (operation.op === "batch_norm") {
    const { scale, shift } = normConstants(operation, plan.tensors);
    return scaled(plan, step, channels, scale, shift);
  }
  if (operation.op === "rescale") return scaled(plan, step, channels, all(operation.factor), all(operation.offset));
  return scaled(plan, { ...step, slope: operation.slope ?? 0 }, channels, all(1), all(0));
}

/**
 * Scales and shifts of each element.
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
export function elementwise(plan, step) {
  const { shape, scale, offset } = step.operation;
  const order = rowOrder(shape);
  const [s, t] = [scale, offset].map((name) => {
    const { data } = /** @type {Tensor} */ (plan.tensors.get(name));
    return order.map((from) => data[from]);
  });
  return scaled(plan, step, size(shape), Float32Array.from(s), Float32Array.from(t));
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @param {number} channels
 * @param {Float32Array} scale
 * @param {Float32Array} shift
 * @returns {Call}
 */
function scaled(plan, { inputs, output, slope = 1 }, channels, scale, shift) {
  const { kernels } = plan;
  const x = plan.pointer(inputs[0]);
  const out = plan.pointer(output);
  const rows = plan.rows(output);
  const [s, t] = [scale, shift].map((values) => plan.memory.constant(inRows(values)));
  return (blocks) => kernels.affine(x, s, t, out, rows / channels, channels, blocks, rows * LANES, 0, 0, slope);
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call}
 */
export function modulation(plan, { operation, inputs, output, slope = 1 }) {
  const { kernels } = plan;
  const [x, s] = inputs.map((at) => plan.pointer(at));
  const out = plan.pointer(output);
  const [channels] = operation.shape;
  const rows = plan.rows(output);
  const t = s + channels * ROW;
  return (blocks) =>
    kernels.affine(x, s, t, out, rows / channels, channels, blocks, rows * LANES, 2 * channels * LANES, 1, slope);
}

/**
 * @param {Plan} plan
 * @param {Step} step
 * @returns {Call[]}
 */
export function groupNorm(plan, { operation, inputs, output, slope = 1 }) {
  const { kernels } = plan;
  const { groups, eps } = operation;
  const [channels] = operation.shape;
  const x = plan.pointer(inputs[0]);
  const out = plan.pointer(output);
  const rows = plan.rows(output);
  const places = rows / channels;
  const constants = (/** @type {string} */ key, /** @type {number} */ otherwise) =>
    plan.memory.constant(inRows(plan.tensors.get(operation[key])?.data ?? new Float32Array(channels).fill(otherwise)));
  const gamma = constants("weight", 1);
  const beta = constants("bias", 0);
  const s = plan.memory.take(2 * channels * ROW * plan.blocks);
  const t = s + channels * ROW;
  const stride = 2 * channels * LANES;
  plan.memory.release(s);
  return [
    (blocks) => kernels.statistics(x, gamma, beta, s, places, channels, groups, blocks, rows * LANES, stride, eps),
    (blocks) => kernels.affine(x, s, t, out, places, channels, blocks, rows * LANES, stride, 0, slope),
  ];
}
