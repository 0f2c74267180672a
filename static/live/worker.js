/** A thread of the pool: it keeps models and draws parts of requests. The same file for browsers and for Node. */

import { LiveError, told } from "./errors.js";
import { Generator } from "./generator.js";
import { fetchPlain } from "./kernel.js";

/** @typedef {import("./request.js").Job} Job */

/**
 * @typedef {{id: number, model: number} & (
 *   | {do: "load", program: any, weights: Uint8Array, module: WebAssembly.Module | null}
 *   | {do: "draw", job: Job}
 *   | {do: "stop", order: number}
 *   | {do: "free"}
 * )} Order
 * @typedef {{id: number, pictures?: Uint8Array, error?: string}} Answer
 */

/** @type {Map<number, Generator>} */
const models = new Map();
/** @type {Map<number, Promise<any>>} the drawing of each model that pauses: its buffers are for one at a time */
const drawings = new Map();
/** @type {Set<number>} orders whose drawing pauses and is still wanted */
const wanted = new Set();
const { setImmediate: soon = afterMessages() } = /** @type {any} */ (globalThis); // which Node has

/**
 * Calls back once the orders that are here already are heard: what a port is sent comes after them.
 * @returns {(resume: () => void) => void}
 */
function afterMessages() {
  const { port1, port2 } = new MessageChannel();
  /** @type {(() => void)[]} */
  const waiting = [];
  port2.onmessage = () => waiting.shift()?.();
  return (resume) => {
    waiting.push(resume);
    port1.postMessage(null);
  };
}

/**
 * @param {Order} order
 * @returns {Promise<Uint8Array | undefined>}
 */
async function obey(order) {
  if (order.do === "load") {
    if (!order.module) await fetchPlain();
    models.set(order.model, new Generator(order.program, order.weights, order.module));
  } else if (order.do === "stop") wanted.delete(order.order);
  else if (order.do === "free") {
    models.delete(order.model);
    drawings.delete(order.model);
  } else {
    const model = models.get(order.model);
    if (!model) throw new LiveError("the model was freed before it drew");
    if (!model.program.integrate) return model.drawJob(order.job);
    wanted.add(order.id);
    const before = drawings.get(order.model) ?? Promise.resolve();
    const drawing = before.catch(() => {}).then(() => drawWithPauses(model, order.job, order.id));
    drawings.set(order.model, drawing);
    return drawing;
  }
  return undefined;
}

/**
 * Draw, and between two steps hear what else is ordered.
 * @param {Generator} model
 * @param {Job} job
 * @param {number} id
 */
async function drawWithPauses(model, job, id) {
  const drawing = model.drawing(job);
  try {
    for (;;) {
      if (!wanted.has(id)) throw new LiveError("the drawing was stopped");
      const { done, value } = drawing.next();
      if (done) return value;
      await new Promise(soon);
    }
  } finally {
    wanted.delete(id);
  }
}

/**
 * @param {Order} order
 * @returns {Promise<Answer>}
 */
async function answer(order) {
  try {
    return { id: order.id, pictures: await obey(order) };
  } catch (error) {
    return { id: order.id, error: told(error).message };
  }
}

/**
 * @param {any} port with postMessage
 * @param {Order} order
 */
async function reply(port, order) {
  const found = await answer(order);
  port.postMessage(found, found.pictures ? [found.pictures.buffer] : []);
}

if (typeof self === "undefined") {
  const { parentPort } = await import("node:worker_threads");
  parentPort?.on("message", (/** @type {Order} */ order) => reply(parentPort, order));
} else {
  self.onmessage = (event) => reply(self, event.data);
}
