/** For each kind of operation, which tensors and numbers it needs and what shape it gives (genlib/program.py). */

import { LiveError, number, shown, whole } from "./errors.js";
import { same, size } from "./shapes.js";

/** @typedef {import("./check.js").Operation} Operation */
/** @typedef {import("./safetensors.js").Tensor} Tensor */

export const CLASSES = 10;
const MOST_READS = 2 ** 21; // of a convolution, a channel
const NOISES = ["normal", "uniform, then normal"];

/** What a rule may ask about one operation. */
export class Asked {
  /**
   * @param {Operation} operation
   * @param {number[][]} inputs shapes
   * @param {Map<string, Tensor>} tensors
   */
  constructor(operation, inputs, tensors) {
    this.operation = operation;
    this.inputs = inputs;
    this.tensors = tensors;
    this.products = 0; // multiplications a sample
  }

  /**
   * A whole number among the fields.
   * @param {string} key
   * @param {number} low
   * @param {number} high
   * @returns {number}
   */
  whole(key, low, high) {
    return whole(`${this.operation.op}'s ${key}`, this.operation[key], low, high);
  }

  /**
   * A number among the fields.
   * @param {string} key
   * @param {number} [low]
   * @param {number} [high]
   * @returns {number}
   */
  number(key, low = -1e9, high = 1e9) {
    return number(`${this.operation.op}'s ${key}`, this.operation[key], low, high);
  }

  /**
   * The shape of a tensor that the operation names.
   * @param {string} key
   * @param {number} dimensions
   * @returns {number[]}
   */
  shape(key, dimensions) {
    const tensor = this.tensors.get(this.operation[key]);
    if (!tensor)
      throw new LiveError(`${this.operation.op} needs a tensor ${shown(this.operation[key])}, which the weights lack`);
    if (tensor.shape.length !== dimensions) this.refuse(key, tensor.shape, `${dimensions} dimensions`);
    return tensor.shape;
  }

  /**
   * A tensor must have a shape.
   * @param {string} key
   * @param {number[]} wanted
   * @param {boolean} [optional]
   */
  tensor(key, wanted, optional = false) {
    if (optional && this.operation[key] === undefined) return;
    const found = this.shape(key, wanted.length);
    if (!same(found, wanted)) this.refuse(key, found, `shape ${shown(wanted)}`);
  }

  /**
   * An input must be an image, with sides.
   * @returns {[number, number, number]}
   */
  image() {
    const [channels, height, width, ...more] = this.inputs[0];
    if (width === undefined || more.length)
      throw new LiveError(`${this.operation.op} takes an image, not ${shown(this.inputs[0])}`);
    return [channels, height, width];
  }

  /**
   * @param {string} key
   * @param {number[]} found
   * @param {string} wanted
   * @returns {never}
   */
  refuse(key, found, wanted) {
    throw new LiveError(`${this.operation.op}'s ${key} must have ${wanted}, not shape ${shown(found)}`);
  }
}

/**
 * A convolution's shape.
 * @param {Asked} asked
 * @param {boolean} transposed
 * @returns {number[]}
 */
function convolved(asked, transposed) {
  const [channels, height, width] = asked.image();
  const [first, second, kernel, other] = asked.shape("weight", 4);
  const [inputs, outputs] = transposed ? [first, second] : [second, first];
  if (inputs !== channels || kernel !== other)
    asked.refuse("weight", [first, second, kernel, other], `${channels} inputs and equal sides`);
  asked.tensor("bias", [outputs], true);
  const stride = asked.whole("stride", 1, 16);
  const padding = asked.whole("padding", 0, 16);
  const sides = [height, width].map((side, i) => {
    const wanted = transposed
      ? (side - 1) * stride - 2 * padding + kernel
      : Math.floor((side + 2 * padding - kernel) / stride) + 1;
    const given = asked.operation.shape[i + 1];
    return transposed && given > wanted && given < wanted + stride ? given : wanted; // with output padding
  });
  const places = transposed ? height * width : sides[0] * sides[1];
  if (places * kernel * kernel > MOST_READS)
    throw new LiveError(`${asked.operation.op} reads ${places * kernel * kernel} places; at most ${MOST_READS}`);
  asked.products = places * kernel * kernel * inputs * outputs;
  return [outputs, ...sides];
}

/**
 * A component of a mixture: its mean, and its triangle times the latent.
 * @param {Asked} asked
 * @returns {number[]}
 */
function mixture(asked) {
  const { op } = asked.operation;
  const [most, d] = asked.shape("means", 2);
  const components = asked.whole("components", 1, most);
  asked.tensor("weights", [most]);
  asked.tensor("cholesky", [most, (d * (d + 1)) / 2]);
  if (!same(asked.inputs[0], [1 + d]))
    throw new LiveError(`${op} takes a latent of ${1 + d} numbers, not ${shown(asked.inputs[0])}`);
  asked.products = (components * d * d) / 2;
  return [d];
}

/**
 * An elementwise operation.
 * @param {Asked} asked
 * @returns {number[]}
 */
const unchanged = (asked) => asked.inputs[0];

/** For each kind of operation how many inputs it has and, once its tensors are checked, the shape it gives.
 * @type {Record<string, [number, (asked: Asked) => number[]]>} */
export const RULES = {
  latent: [
    0,
    (asked) => {
      if (!NOISES.includes(asked.operation.noise))
        throw new LiveError(`the latent's noise must be ${NOISES.join(" or ")}`);
      return asked.operation.shape;
    },
  ],
  classes: [0, () => [CLASSES]],
  time: [0, () => [1]],
  linear: [
    1,
    (asked) => {
      const [outputs] = asked.shape("weight", 2);
      if (asked.inputs[0].length !== 1) throw new LiveError(`linear takes a vector, not ${shown(asked.inputs[0])}`);
      asked.tensor("weight", [outputs, ...asked.inputs[0]]);
      asked.tensor("bias", [outputs], true);
      asked.products = outputs * asked.inputs[0][0];
      return [outputs];
    },
  ],
  embed: [
    1,
    (asked) => {
      const [, width] = asked.shape("weight", 2);
      asked.tensor("weight", [...asked.inputs[0], width]);
      asked.tensor("none", [width], true);
      return [width];
    },
  ],
  sinusoids: [
    1,
    (asked) => {
      const { frequencies } = asked.operation;
      if (!Array.isArray(frequencies) || !frequencies.every(Number.isFinite))
        throw new LiveError("sinusoids need frequencies, which are numbers");
      return [2 * frequencies.length];
    },
  ],
  convolution: [1, (asked) => convolved(asked, false)],
  transposed_convolution: [1, (asked) => convolved(asked, true)],
  upsample: [
    1,
    (asked) => {
      const [channels, height, width] = asked.image();
      const factor = asked.whole("factor", 1, 16);
      return [channels, height * factor, width * factor];
    },
  ],
  pixel_shuffle: [
    1,
    (asked) => {
      const [channels, height, width] = asked.image();
      const factor = asked.whole("factor", 1, 16);
      return [channels / factor ** 2, height * factor, width * factor];
    },
  ],
  pixel_unshuffle: [
    1,
    (asked) => {
      const [channels, height, width] = asked.image();
      const factor = asked.whole("factor", 1, 16);
      return [channels * factor ** 2, height / factor, width / factor];
    },
  ],
  batch_norm: [
    1,
    (asked) => {
      const channels = asked.inputs[0].slice(0, 1);
      for (const key of ["mean", "variance"]) asked.tensor(key, channels);
      for (const key of ["weight", "bias"]) asked.tensor(key, channels, true);
      asked.number("eps", 0, 1);
      return asked.inputs[0];
    },
  ],
  group_norm: [
    1,
    (asked) => {
      const channels = asked.inputs[0].slice(0, 1);
      const groups = asked.whole("groups", 1, channels[0]);
      for (const key of ["weight", "bias"]) asked.tensor(key, channels, true);
      asked.number("eps", 0, 1);
      if (channels[0] % groups)
        throw new LiveError(`group_norm cannot share ${channels[0]} channels among ${groups} groups`);
      return asked.inputs[0];
    },
  ],
  modulate: [
    2,
    (asked) => {
      const [x, affine] = asked.inputs;
      if (!same(affine, [2 * x[0]]))
        throw new LiveError(`modulate takes ${2 * x[0]} scales and shifts, not ${shown(affine)}`);
      return x;
    },
  ],
  mixture: [1, mixture],
  class_mixture: [
    2,
    (asked) => {
      const shape = mixture(asked);
      if (!same(asked.inputs[1], [CLASSES]))
        throw new LiveError(`class_mixture takes ${CLASSES} shares, not ${shown(asked.inputs[1])}`);
      const { components } = asked.operation;
      if (components % CLASSES)
        throw new LiveError(`class_mixture cannot share ${components} components among ${CLASSES} classes`);
      return shape;
    },
  ],
  relu: [1, unchanged],
  leaky_relu: [1, (asked) => (asked.number("slope"), asked.inputs[0])],
  tanh: [1, unchanged],
  sigmoid: [1, unchanged],
  silu: [1, unchanged],
  clamp: [1, (asked) => (asked.number("low"), asked.number("high"), asked.inputs[0])],
  rescale: [1, (asked) => (asked.number("factor"), asked.number("offset"), asked.inputs[0])],
  affine: [
    1,
    (asked) => {
      for (const key of ["scale", "offset"]) asked.tensor(key, asked.inputs[0]);
      return asked.inputs[0];
    },
  ],
  add: [
    2,
    (asked) => {
      if (!same(asked.inputs[0], asked.inputs[1]))
        throw new LiveError(`add takes equal shapes, not ${shown(asked.inputs)}`);
      return asked.inputs[0];
    },
  ],
  concatenate: [
    2,
    (asked) => {
      const [[first, ...sides], [second, ...others]] = asked.inputs;
      if (!same(sides, others)) throw new LiveError(`concatenate takes equal sides, not ${shown(asked.inputs)}`);
      return [first + second, ...sides];
    },
  ],
  reshape: [
    1,
    (asked) => {
      const { shape } = asked.operation;
      if (size(shape) !== size(asked.inputs[0]))
        throw new LiveError(`reshape cannot make ${shown(shape)} of ${shown(asked.inputs[0])}`);
      return shape;
    },
  ],
};
