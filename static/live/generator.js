/** One model on one thread: from a request to pictures, at once. */

import { SIDE, checkProgram } from "./check.js";
import { LiveError } from "./errors.js";
import { Machine } from "./kernel.js";
import { normal, uniformAndNormal } from "./noise.js";
import { Plan } from "./plan.js";
import { readRequest } from "./request.js";
import { LANES, rowOrder } from "./rows.js";
import { CLASSES } from "./rules.js";
import { readTensors } from "./safetensors.js";
import { integrate } from "./solver.js";

/** @typedef {import("./check.js").Program} Program */
/** @typedef {import("./request.js").Job} Job */
/** @typedef {import("./request.js").Request} Request */

const PIXELS = SIDE * SIDE;

export class Generator {
  /**
   * Throws LiveError where the program or its weights are not in order.
   * @param {any} program parsed JSON
   * @param {Uint8Array} weights safetensors
   * @param {WebAssembly.Module | null} module the kernel's; null: plain JavaScript
   */
  constructor(program, weights, module) {
    const tensors = readTensors(weights);
    /** @type {Program} */
    this.program = checkProgram(program, tensors);
    this.machine = new Machine(module);
    this.plan = new Plan(this.program, tensors, this.machine);
    this.latent = this.plan.find("latent");
    this.classes = this.plan.find("classes");
    const { shape, noise } = this.program.operations[this.latent];
    this.mixture = noise !== "normal";
    this.order = rowOrder(shape);
    /** @type {Map<string, Float32Array>} */
    this.kept = new Map();
  }

  /**
   * Pictures, (count x 28 x 28).
   * @param {Request} request
   * @returns {Uint8Array}
   */
  draw(request) {
    return this.drawJob(readRequest(this.program, request));
  }

  /**
   * @param {Job} job
   * @returns {Uint8Array}
   */
  drawJob(job) {
    const drawing = this.drawing(job);
    for (;;) {
      const { done, value } = drawing.next();
      if (done) return value;
    }
  }

  /**
   * The same, with a pause after each step of a path.
   * @param {Job} job
   * @returns {import("./solver.js").Paused<Uint8Array>}
   */
  *drawing(job) {
    const pictures = new Uint8ClampedArray(job.count * PIXELS);
    const latents = this.latents(job);
    const most = this.plan.blocks * LANES;
    for (let from = 0; from < job.count; from += most) {
      const count = Math.min(most, job.count - from);
      const blocks = Math.ceil(count / LANES);
      this.writeLatents(latents, from, count);
      if (job.mixtures) this.writeClasses(job.mixtures, from, count);
      if (this.program.integrate) yield* integrate(this.plan, job.path, blocks);
      else this.plan.run(blocks);
      this.readPictures(pictures, from, count);
    }
    return new Uint8Array(pictures.buffer);
  }

  /**
   * Latents, (count x size): noise times temperature plus shift.
   * @param {Job} job
   * @returns {Float32Array}
   */
  latents({ seed, start, count, toward, share, shares, temperature, shift }) {
    const noise = shares
      ? this.between(seed, toward, shares, start, 1)
      : share > 0
        ? this.between(seed, toward, [share], start, count)
        : this.noise(seed, start, count);
    const { length } = this.order;
    const first = this.mixture ? 1 : 0; // the number that picks a component is left alone
    return noise.map((value, i) => {
      const at = i % length;
      if (at < first) return value;
      return shift ? Math.fround(value * temperature) + shift[at] : value * temperature;
    });
  }

  /**
   * Noise on the way from one seed's to another's, with the spread of either: samples at one share after the other.
   * @param {number} seed
   * @param {number} toward
   * @param {ArrayLike<number>} shares
   * @param {number} start
   * @param {number} count samples at each share
   * @returns {Float32Array}
   */
  between(seed, toward, shares, start, count) {
    if (this.mixture) throw new LiveError("a mixture's noise picks a component: there is no way between two seeds");
    const [from, to] = [seed, toward].map((each) => this.noise(each, start, count));
    const noise = new Float32Array(from.length * shares.length);
    for (let k = 0, at = 0; k < shares.length; k++) {
      const [near, far] = [Math.cos((shares[k] * Math.PI) / 2), Math.sin((shares[k] * Math.PI) / 2)];
      for (let i = 0; i < from.length; i++) noise[at++] = near * from[i] + far * to[i];
    }
    return noise;
  }

  /**
   * The noise of the last two requests is kept: most differ in something else.
   * @param {number} seed
   * @param {number} start
   * @param {number} count
   * @returns {Float32Array}
   */
  noise(seed, start, count) {
    const key = `${seed} ${start} ${count}`;
    const draw = this.mixture ? uniformAndNormal : normal;
    const noise = this.kept.get(key) ?? draw(seed, count, this.order.length, start);
    this.kept.delete(key);
    this.kept.set(key, noise); // last in order
    if (this.kept.size > 2) this.kept.delete([...this.kept.keys()][0]);
    return noise;
  }

  /**
   * @param {Float32Array} latents
   * @param {number} from
   * @param {number} count
   */
  writeLatents(latents, from, count) {
    const { length } = this.order;
    const to = this.plan.pointer(this.latent) >> 2;
    const { f32 } = this.machine;
    const own = latents.subarray(from * length, (from + count) * length);
    if (this.mixture) f32.set(own, to);
    else this.writeRows(own, count, to, this.order);
  }

  /**
   * @param {Float32Array} mixtures
   * @param {number} from
   * @param {number} count
   */
  writeClasses(mixtures, from, count) {
    const own = mixtures.subarray(from * CLASSES, (from + count) * CLASSES);
    this.writeRows(own, count, this.plan.pointer(this.classes) >> 2, rowOrder([CLASSES]));
  }

  /**
   * Samples one after the other to samples side by side.
   * @param {Float32Array} values
   * @param {number} count
   * @param {number} to
   * @param {number[]} order
   */
  writeRows(values, count, to, order) {
    const { f32 } = this.machine;
    const { length } = order;
    for (let sample = 0; sample < count; sample++) {
      const lane = to + Math.floor(sample / LANES) * length * LANES + (sample % LANES);
      for (let row = 0; row < length; row++) f32[lane + row * LANES] = values[sample * length + order[row]];
    }
  }

  /**
   * Numbers in [-1, 1] to bytes, rounded half to even and clipped as images.to_uint8 does.
   * @param {Uint8ClampedArray} pictures
   * @param {number} from
   * @param {number} count
   */
  readPictures(pictures, from, count) {
    const { f32 } = this.machine;
    const { fround } = Math;
    const output = this.plan.pointer(this.program.integrate ? this.latent : this.program.output) >> 2;
    for (let sample = 0; sample < count; sample++) {
      const lane = output + Math.floor(sample / LANES) * PIXELS * LANES + (sample % LANES);
      const to = (from + sample) * PIXELS;
      for (let i = 0; i < PIXELS; i++) pictures[to + i] = fround(fround(f32[lane + i * LANES] + 1) * 127.5);
    }
  }
}
