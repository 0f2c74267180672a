/** Tensors out of a safetensors file, every one checked, half precision widened to single. */

import { LiveError, shown } from "./errors.js";

const LARGEST_HEADER = 1_000_000; // bytes

/**
 * @typedef {object} Tensor
 * @property {number[]} shape
 * @property {Float32Array} data
 */

/**
 * The tensors of a file by name. Throws LiveError where it is truncated, altered or holds numbers that are not finite.
 * @param {Uint8Array} bytes
 * @returns {Map<string, Tensor>}
 */
export function readTensors(bytes) {
  const { header, start } = readHeader(bytes);
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, readTensor(name, entry, bytes, start));
  }
  return tensors;
}

/**
 * @param {Uint8Array} bytes
 * @returns {{header: Record<string, any>, start: number}}
 */
function readHeader(bytes) {
  const length =
    bytes.length < 8 ? Infinity : Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > Math.min(LARGEST_HEADER, bytes.length - 8))
    throw new LiveError("the weights are cut off in their header");
  try {
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    if (header && typeof header === "object" && !Array.isArray(header)) return { header, start: 8 + length };
  } catch {
    // told below
  }
  throw new LiveError("the weights are not a safetensors file: their header is not a JSON object");
}

/**
 * @param {string} name
 * @param {any} entry
 * @param {Uint8Array} bytes
 * @param {number} start
 * @returns {Tensor}
 */
function readTensor(name, entry, bytes, start) {
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const width = { F16: 2, F32: 4 }[/** @type {"F16" | "F32"} */ (dtype)];
  if (!width) throw new LiveError(`tensor ${name} must hold F16 or F32 numbers, not ${shown(dtype)}`);
  const sizes = Array.isArray(shape) && shape.every((side) => Number.isInteger(side) && side >= 0);
  const places =
    Array.isArray(offsets) && offsets.length === 2 && offsets.every((at) => Number.isInteger(at) && at >= 0);
  if (!sizes || !places) throw new LiveError(`tensor ${name} has no valid shape and place in the file`);
  const count = shape.reduce((/** @type {number} */ product, /** @type {number} */ side) => product * side, 1);
  if (offsets[1] - offsets[0] !== count * width || start + offsets[1] > bytes.length) {
    throw new LiveError(
      `tensor ${name} of shape ${shown(shape)} does not fit its place: the weights are cut off or altered`,
    );
  }
  const part = new Uint8Array(bytes.subarray(start + offsets[0], start + offsets[1])); // a copy begins where views may
  const data = dtype === "F32" ? new Float32Array(part.buffer) : widen(new Uint16Array(part.buffer));
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) throw new LiveError(`tensor ${name} holds numbers that are not finite`);
  }
  return { shape, data };
}

/**
 * Half precision to single, exactly (IEEE 754 binary16).
 * @param {Uint16Array} halves
 * @returns {Float32Array}
 */
function widen(halves) {
  const bits = new Uint32Array(halves.length);
  const numbers = new Float32Array(bits.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const sign = (half & 0x8000) << 16;
    const rest = half & 0x7fff;
    if (rest >= 0x7c00) bits[i] = sign | 0x7f800000 | ((rest & 0x3ff) << 13);
    else if (rest >= 0x400) bits[i] = sign | ((rest << 13) + 0x38000000);
    else numbers[i] = (sign ? -rest : rest) / 2 ** 24; // subnormal
  }
  return numbers;
}
