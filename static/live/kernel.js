/** The arithmetic and the memory it works in: the WebAssembly of kernel.c, or fallback.js where that cannot run. */

import { LiveError, reason } from "./errors.js";

/** @typedef {import("./fallback.js").Kernel} Kernel */

const PAGE = 65536;
const LARGEST = 2 ** 29; // bytes of one model's memory

/** @type {typeof import("./fallback.js").plainKernels | undefined} few browsers need it */
let plainKernels;

/** Have the plain JavaScript ready, before a machine is made of it. */
export async function fetchPlain() {
  ({ plainKernels } = await import("./fallback.js"));
}

/**
 * The kernel's module, compiled once for all models, or null with a line that says why there is none.
 * @param {URL | string} [address]
 * @returns {Promise<{module: WebAssembly.Module | null, notice: string}>}
 */
export async function compileKernel(address = new URL("./kernel.wasm", import.meta.url)) {
  try {
    return { module: await WebAssembly.compile(await read(address)), notice: "" };
  } catch (error) {
    await fetchPlain();
    return {
      module: null,
      notice: `Drawing in plain JavaScript, which is slower: no WebAssembly with SIMD here (${reason(error)})`,
    };
  }
}

/**
 * A file's bytes, by fetch or, in Node, from disk.
 * @param {URL | string} address
 * @returns {Promise<ArrayBuffer>}
 */
async function read(address) {
  const url = new URL(address, import.meta.url);
  if (url.protocol !== "file:") {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url.pathname} is not there: ${answer.status}`);
    return answer.arrayBuffer();
  }
  const { readFile } = await import("node:fs/promises");
  return Uint8Array.from(await readFile(url)).buffer;
}

/** A model's own memory and the kernels that work in it. `open` gives it its size, once that is known. */
export class Machine {
  /**
   * @param {WebAssembly.Module | null} module null: plain JavaScript, which has been fetched
   */
  constructor(module) {
    /** @type {Record<string, Kernel>} */
    this.kernels = {};
    this.f32 = new Float32Array(0);
    this.i32 = new Int32Array(0);
    this.start = 0; // the first byte that is free
    /** @type {WebAssembly.Memory | null} */
    this.memory = null;
    if (module) this.instantiate(module);
  }

  /**
   * @param {WebAssembly.Module} module
   */
  instantiate(module) {
    this.memory = new WebAssembly.Memory({ initial: 2 });
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    this.kernels = /** @type {any} */ (exports);
    this.start = /** @type {any} */ (exports).__heap_base.value;
  }

  /**
   * Take memory up to a byte. Throws LiveError where there is not so much.
   * @param {number} end
   */
  open(end) {
    const megabytes = Math.ceil(end / 2 ** 20);
    if (end > LARGEST)
      throw new LiveError(`the model needs ${megabytes} MB of memory; this engine takes at most ${LARGEST / 2 ** 20}`);
    try {
      const missing = this.memory ? Math.ceil((end - this.memory.buffer.byteLength) / PAGE) : 0;
      if (missing > 0) this.memory?.grow(missing);
      const buffer = this.memory?.buffer ?? new ArrayBuffer(Math.ceil(end / PAGE) * PAGE);
      this.f32 = new Float32Array(buffer);
      this.i32 = new Int32Array(buffer);
    } catch {
      throw new LiveError(`the model needs ${megabytes} MB of memory, which this browser does not give`);
    }
    if (!this.memory) Object.assign(this.kernels, plainKernels?.(this.f32, this.i32));
  }
}
