/** Threads that share the work: each keeps every model and draws some of the samples. */

import { LiveError } from "./errors.js";
import { partOf } from "./request.js";
import { LANES } from "./rows.js";

/** @typedef {import("./request.js").Job} Job */
/** @typedef {import("./worker.js").Answer} Answer */

/** One thread, spoken to by orders and answers. */
class Thread {
  constructor() {
    this.next = 0;
    /** @type {Map<number, {resolve: (answer: Answer) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
    /** @type {any} a Worker of the browser or of Node */
    this.worker = null;
  }

  /** Start it. Rejects where there are no threads. */
  async start() {
    const address = new URL("./worker.js", import.meta.url);
    if (typeof Worker === "undefined") {
      if (!(/** @type {any} */ (globalThis).process)) throw new Error("this browser starts none");
      const threads = await import("node:worker_threads");
      this.worker = new threads.Worker(address);
      this.worker.on("message", (/** @type {Answer} */ answer) => this.settle(answer));
      this.worker.on("error", (/** @type {Error} */ error) => this.fail(error.message));
      this.worker.unref();
    } else {
      this.worker = new Worker(address, { type: "module" });
      this.worker.onmessage = (/** @type {MessageEvent} */ event) => this.settle(event.data);
      this.worker.onerror = (/** @type {ErrorEvent} */ event) => this.fail(event.message ?? "it could not be loaded");
    }
    return this;
  }

  /**
   * Give an order, without its number. Once the signal is given, a drawing that pauses ends at its next pause.
   * @param {object} order
   * @param {AbortSignal} [signal]
   * @returns {Promise<Answer>}
   */
  order(order, signal) {
    const id = this.next++;
    this.worker.ref?.();
    const stop = () => this.waiting.has(id) && this.order({ do: "stop", order: id }).catch(() => {});
    signal?.addEventListener("abort", stop);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...order, id });
    });
  }

  /**
   * @param {Answer} answer
   */
  settle(answer) {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (this.waiting.size === 0) this.worker.unref?.(); // an idle thread does not keep Node alive
    if (answer.error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new LiveError(answer.error));
  }

  /**
   * @param {string} reason
   */
  fail(reason) {
    for (const { reject } of this.waiting.values()) reject(new LiveError(`a drawing thread stopped: ${reason}`));
    this.waiting.clear();
  }
}

export class Pool {
  /**
   * @param {Thread[]} threads
   */
  constructor(threads) {
    this.threads = threads;
    this.first = 0; // the thread that the next part goes to, so that small jobs are shared too
  }

  /**
   * Start threads; rejects where there can be none.
   * @param {number} count
   * @returns {Promise<Pool>}
   */
  static async start(count) {
    const pool = new Pool(Array.from({ length: count }, () => new Thread()));
    try {
      await Promise.all(pool.threads.map((thread) => thread.start()));
      await Promise.all(pool.threads.map((thread) => thread.order({ do: "free" }))); // an answer: it is loaded and runs
      return pool;
    } catch (error) {
      pool.close();
      throw error;
    }
  }

  /**
   * Have every thread keep a model.
   * @param {number} model
   * @param {any} program
   * @param {Uint8Array} weights
   * @param {WebAssembly.Module | null} module
   */
  async load(model, program, weights, module) {
    await Promise.all(this.threads.map((thread) => thread.order({ do: "load", model, program, weights, module })));
  }

  /**
   * Draw a job, whole blocks of its samples on each thread.
   * @param {number} model
   * @param {Job} job
   * @param {AbortSignal} [signal]
   * @returns {Promise<Uint8Array>}
   */
  async draw(model, job, signal) {
    const blocks = Math.ceil(job.count / LANES);
    const each = Math.ceil(blocks / this.threads.length) * LANES;
    const parts = [];
    for (let from = 0; from < job.count; from += each) {
      const part = partOf(job, from, Math.min(each, job.count - from));
      this.first = (this.first + 1) % this.threads.length;
      parts.push(this.threads[this.first].order({ do: "draw", model, job: part }, signal));
    }
    return joined((await Promise.all(parts)).map(({ pictures }) => pictures ?? new Uint8Array(0)));
  }

  /**
   * Have every thread forget a model.
   * @param {number} model
   */
  async free(model) {
    await Promise.all(this.threads.map((thread) => thread.order({ do: "free", model })));
  }

  /** End the threads; what they were drawing is given up. */
  close() {
    for (const thread of this.threads) {
      thread.fail("the engine was closed");
      thread.worker?.terminate(); // none where it could not be started
    }
  }
}

/**
 * @param {Uint8Array[]} parts
 * @returns {Uint8Array}
 */
function joined(parts) {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
