/** A model's files, fetched. */

import { reason } from "./errors.js";

/**
 * A file's bytes; an Error of one line where it cannot be had.
 * @param {string} address
 * @param {AbortSignal} signal gives it up
 * @param {(count: number) => void} [come] told of bytes as they come
 * @returns {Promise<Uint8Array>}
 */
export async function fetched(address, signal, come) {
  const answer = await fetch(address, { signal }).catch((error) => {
    throw new Error(`the model could not be fetched: ${reason(error)}`);
  });
  if (!answer.ok) throw new Error(`the model could not be fetched: the server answers ${answer.status}`);
  if (!come || !answer.body) return new Uint8Array(await answer.arrayBuffer());
  const parts = [];
  const reader = answer.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    come(part.value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
