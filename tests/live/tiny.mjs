/** A tiny model: two latents and a class to 784 pixels by one dense layer, and faults to put into it. */

import { createHash } from "node:crypto";

/** safetensors of float32 tensors. @param {Record<string, {shape: number[], data: number[]}>} tensors */
export function weightsOf(tensors) {
  const header = {};
  const parts = [];
  let at = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const bytes = new Uint8Array(Float32Array.from(data).buffer);
    header[name] = { dtype: "F32", shape, data_offsets: [at, (at += bytes.length)] };
    parts.push(bytes);
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return Uint8Array.from([...length, ...text, ...parts.flatMap((bytes) => [...bytes])]);
}

export function tinyTensors() {
  const wave = (count, pace) => Array.from({ length: count }, (_, i) => Math.sin(pace * (i + 1)));
  return {
    embedding: { shape: [10, 1], data: wave(10, 1.3) },
    weight: { shape: [784, 3], data: wave(784 * 3, 0.7) },
    bias: { shape: [784], data: wave(784, 0.11) },
  };
}

export function tinyProgram(weights) {
  return {
    format: 1,
    operations: [
      { op: "latent", shape: [2], noise: "normal" },
      { op: "classes", shape: [10] },
      { op: "embed", inputs: [1], shape: [1], weight: "embedding" },
      { op: "concatenate", inputs: [0, 2], shape: [3] },
      { op: "linear", inputs: [3], shape: [784], weight: "weight", bias: "bias" },
      { op: "tanh", inputs: [4], shape: [784] },
      { op: "reshape", inputs: [5], shape: [1, 28, 28] },
    ],
    output: 6,
    directions: [{ name: "along", step: [1, 0] }],
    weights: { bytes: weights.length, sha256: createHash("sha256").update(weights).digest("hex") },
  };
}

/** A program and its weights, with changes made to copies of them before the digest is taken. */
export function tiny({ program: change = () => {}, tensors: alter = () => {} } = {}) {
  const tensors = tinyTensors();
  alter(tensors);
  const weights = weightsOf(tensors);
  const program = tinyProgram(weights);
  change(program);
  return { program, weights };
}
