/** A thread of the pool: it keeps models and draws parts of requests. The same file for browsers and for Node. */

import { LiveError, told } from "./errors.js";
import { Generator } from "./generator.js";

/** @typedef {import("./request.js").Job} Job */

/**
 * @typedef {{id: number, model: number} & (
 *   | {do: "load", program: any, weights: Uint8Array, module: WebAssembly.Module | null}
 *   | {do: "draw", job: Job}
 *   | {do: "free"}
 * )} Order
 * @typedef {{id: number, pictures?: Uint8Array, error?: string}} Answer
 */

/** @type {Map<number, Generator>} */
const models = new Map();

/**
 * @param {Order} order
 * @returns {Uint8Array | undefined}
 */
function obey(order) {
  if (order.do === "load") models.set(order.model, new Generator(order.program, order.weights, order.module));
  else if (order.do === "free") models.delete(order.model);
  else {
    const model = models.get(order.model);
    if (!model) throw new LiveError("the model was freed before it drew");
    return model.drawJob(order.job);
  }
  return undefined;
}

/**
 * @param {Order} order
 * @returns {Answer}
 */
function answer(order) {
  try {
    return { id: order.id, pictures: obey(order) };
  } catch (error) {
    return { id: order.id, error: told(error).message };
  }
}

/**
 * @param {any} port with postMessage
 * @param {Order} order
 */
function reply(port, order) {
  const found = answer(order);
  port.postMessage(found, found.pictures ? [found.pictures.buffer] : []);
}

if (typeof self === "undefined") {
  const { parentPort } = await import("node:worker_threads");
  parentPort?.on("message", (/** @type {Order} */ order) => reply(parentPort, order));
} else {
  self.onmessage = (event) => reply(self, event.data);
}
