/** A program as calls of the kernel: where buffers and constants lie in memory, and what is called in which order. */

import { ACTIVATIONS, callsOf } from "./calls.js";
import { size } from "./shapes.js";
import { fuse } from "./fuse.js";
import { Memory } from "./memory.js";
import { ROW } from "./rows.js";

/** @typedef {import("./check.js").Program} Program */
/** @typedef {import("./kernel.js").Machine} Machine */
/** @typedef {import("./safetensors.js").Tensor} Tensor */
/** @typedef {(blocks: number) => void} Call */

const CACHE = 2 ** 20; // bytes that the largest buffer may take, so that what one step writes the next finds nearby
const MOST_BLOCKS = 8;
const ELEMENTWISE = [...ACTIVATIONS, "relu", "leaky_relu", "batch_norm", "modulate", "affine", "rescale", "add"];

/** Everything that is decided once about a program on a machine. */
export class Plan {
  /**
   * @param {Program} program checked
   * @param {Map<string, Tensor>} tensors
   * @param {Machine} machine
   */
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
    const last = this.lastReads();
    const bytes = this.rows(this.program.output) * ROW * this.blocks;
    this.spare = this.program.integrate ? [0, 1, 2].map(() => this.memory.take(bytes)) : []; // the solver's own
    for (const { operation, output } of this.steps) if (!operation.inputs) this.take(output); // written before any call
    this.steps.forEach((step, i) => {
      if (!step.operation.inputs) return;
      const done = [...new Set(step.inputs)].filter((at) => last.get(at) === i);
      const inPlace = ELEMENTWISE.includes(step.operation.op) && done.includes(step.inputs[0]);
      if (inPlace) this.memory.release(this.pointer(step.inputs[0]));
      this.take(step.output);
      this.calls.push(...callsOf(this, step));
      for (const at of done) if (!inPlace || at !== step.inputs[0]) this.memory.release(this.pointer(at));
    });
  }

  /**
   * A buffer for what an operation gives.
   * @param {number} at
   */
  take(at) {
    this.pointers.set(at, this.memory.take(this.rows(at) * ROW * this.blocks));
  }

  /**
   * The last step that reads each buffer. Inputs are read again at every step of an integration, the output at the end.
   * @returns {Map<number, number>}
   */
  lastReads() {
    const last = new Map();
    this.steps.forEach((step, i) => step.inputs.forEach((at) => last.set(at, i)));
    last.delete(this.holder[this.program.output]);
    if (this.program.integrate)
      for (const { operation, output } of this.steps) if (!operation.inputs) last.delete(output);
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

  /**
   * The pointer of what an operation gave.
   * @param {number} at
   * @returns {number}
   */
  pointer(at) {
    return /** @type {number} */ (this.pointers.get(this.holder[at]));
  }

  /**
   * Rows of a block.
   * @param {number} at
   * @returns {number}
   */
  rows(at) {
    return size(this.program.operations[at].shape);
  }

  /**
   * The operation of a kind, or -1.
   * @param {string} kind
   * @returns {number}
   */
  find(kind) {
    return this.program.operations.findIndex(({ op }) => op === kind);
  }

  /**
   * Draw blocks: what lies in the inputs' buffers becomes what lies in the output's.
   * @param {number} blocks
   */
  run(blocks) {
    for (const call of this.calls) call(blocks);
  }
}
