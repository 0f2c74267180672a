/**
 * The live studio's engine: genlib's generators, drawn where the page is.
 *
 *     const engine = await createEngine();
 *     const model = await engine.load(program, weights); // program.json parsed, weights.safetensors as bytes
 *     const pictures = await model.draw({ seed: 0, count: 40, mixture, temperature: 1, moves: [0, 1.5] });
 *
 * Pictures are bytes, count x 28 x 28, within 1 of what genlib.generate gives. Whatever is wrong with a program, its
 * weights or a request is a LiveError of one line.
 */

import { LiveError, reason, shown, told } from "./errors.js";
import { Generator } from "./generator.js";
import { compileKernel } from "./kernel.js";
import { Pool } from "./pool.js";
import { readRequest } from "./request.js";
import { LANES } from "./rows.js";

/** @typedef {import("./check.js").Program} Program */
/** @typedef {import("./request.js").Request} Request */

export { LiveError };

const MOST_WORKERS = 4;

/** A model that is ready to draw. */
export class LiveModel {
  /**
   * @param {Engine} engine
   * @param {number} number
   * @param {Program} program checked
   * @param {() => Generator} make
   */
  constructor(engine, number, program, make) {
    this.engine = engine;
    this.number = number;
    this.program = program;
    this.make = make;
    /** @type {Generator | null} */
    this.own = null;
  }

  /**
   * Pictures, (count x 28 x 28), from the pool. Rejects soon after the signal where steps are still to be taken.
   * @param {Request} request
   * @param {AbortSignal} [signal]
   * @returns {Promise<Uint8Array>}
   */
  async draw(request, signal) {
    const job = readRequest(this.program, request);
    const { pool } = this.engine;
    return pool ? pool.draw(this.number, job, signal) : this.generator().drawJob(job);
  }

  /** Pictures that the threads draw in the time of one. @returns {number} */
  get together() {
    return LANES * (this.engine.pool?.threads.length ?? 1);
  }

  /**
   * The same on this thread, at once.
   * @param {Request} request
   * @returns {Uint8Array}
   */
  drawNow(request) {
    return this.generator().draw(request);
  }

  /**
   * The model on this thread, made when it is first needed.
   * @returns {Generator}
   */
  generator() {
    this.own ??= this.make();
    return this.own;
  }

  /** Let go of the model's memory in every thread. */
  async free() {
    this.own = null;
    await this.engine.pool?.free(this.number).catch(() => {}); // of an engine that is closed meanwhile
  }
}

export class Engine {
  /**
   * @param {WebAssembly.Module | null} module
   * @param {Pool | null} pool
   * @param {string[]} notices
   */
  constructor(module, pool, notices) {
    this.module = module;
    this.pool = pool;
    this.notices = notices; // what makes it slower here, a line each
    this.models = 0;
  }

  /**
   * A model from its program and weights. Rejects with a LiveError where either is damaged or does not fit.
   * @param {any} program program.json, parsed or as text
   * @param {ArrayBuffer | Uint8Array} weights weights.safetensors
   * @returns {Promise<LiveModel>}
   */
  async load(program, weights) {
    const bytes = weights instanceof Uint8Array ? weights : new Uint8Array(weights);
    const parsed = parse(program);
    await checkBytes(parsed, bytes);
    const model = new LiveModel(this, this.models++, parsed, () => new Generator(parsed, bytes, this.module));
    try {
      if (this.pool) await this.pool.load(model.number, parsed, bytes, this.module);
      else model.generator();
    } catch (error) {
      throw told(error);
    }
    return model;
  }

  /** End the threads. Models draw on this thread from now on. */
  close() {
    this.pool?.close();
    this.pool = null;
  }
}

/**
 * An engine. It always comes: without SIMD it computes in plain JavaScript, without threads on this one; `notices` says
 * so. Of the options, `workers` is the number of threads, as many as the processor has up to four unless given (0:
 * none), and `kernel` the address of kernel.wasm, beside this file unless given.
 * @param {{workers?: number, kernel?: URL | string}} [options]
 * @returns {Promise<Engine>}
 */
export async function createEngine(options = {}) {
  const { workers = defaultWorkers(), kernel } = options;
  const [{ module, notice }, { pool, alone }] = await Promise.all([compileKernel(kernel), startThreads(workers)]);
  return new Engine(module, pool, [notice, alone].filter((line) => line));
}

/**
 * The threads, or none with a line that says why there are none, where some were wanted.
 * @param {number} count
 * @returns {Promise<{pool: Pool | null, alone: string}>}
 */
async function startThreads(count) {
  try {
    return { pool: count ? await Pool.start(count) : null, alone: "" };
  } catch (error) {
    return {
      pool: null,
      alone: `Drawing on the page's own thread, which may stutter: no workers here (${reason(error)})`,
    };
  }
}

/**
 * @returns {number}
 */
function defaultWorkers() {
  return Math.max(1, Math.min(MOST_WORKERS, globalThis.navigator?.hardwareConcurrency ?? 1));
}

/**
 * @param {any} program
 * @returns {any}
 */
function parse(program) {
  if (typeof program !== "string") return program;
  try {
    return JSON.parse(program);
  } catch {
    throw new LiveError("the program is not readable JSON: it is cut off or altered");
  }
}

/**
 * Whether the weights are the ones that the program was made for.
 * @param {any} program
 * @param {Uint8Array} bytes
 */
async function checkBytes(program, bytes) {
  const { bytes: length, sha256: wanted } = program?.weights ?? {};
  if (bytes.length !== length)
    throw new LiveError(`the weights have ${bytes.length} bytes; the program's have ${shown(length)}`);
  if ((await digest(bytes)) !== wanted)
    throw new LiveError("the weights are damaged or another model's (SHA-256 differs)");
}

/**
 * SHA-256 in hexadecimal, by the browser where it offers that.
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 */
async function digest(bytes) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return (await import("./sha256.js")).sha256(bytes);
  const found = new Uint8Array(await subtle.digest("SHA-256", /** @type {any} */ (bytes)));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
