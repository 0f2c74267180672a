/**
 * Milliseconds of grids in a browser, noise to bytes: this engine's, and another's with the same generators in turns.
 *
 * Beside this file lie live/, the engine; models/NAME/ with program.json, weights.safetensors and, where ONNX Runtime Web
 * is the other, model.onnx; and ort/, its files.
 */

import { createEngine } from "./live/engine.js";
import { readRequest } from "./live/request.js";

const SEED = 1;
const WARM = 5; // rounds until everything is compiled at its best

async function loaded(engine, name) {
  const file = async (what) => (await fetch(`models/${name}/${what}`)).arrayBuffer();
  const [program, weights] = await Promise.all(["program.json", "weights.safetensors"].map(file));
  return engine.load(new TextDecoder().decode(program), weights);
}

/** The other engine's grid of a model: ONNX Runtime Web's, on one thread as pages without special headers have it. */
async function byOnnxRuntime(name, model) {
  const ort = await import("./ort/ort.wasm.min.mjs");
  Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: new URL("./ort/", import.meta.url).href });
  const session = await ort.InferenceSession.create(`models/${name}/model.onnx`);
  return async (request) => {
    const job = readRequest(model.program, request);
    const { shape } = model.program.operations[model.generator().latent];
    const feeds = { z: new ort.Tensor("float32", model.generator().latents(job), [job.count, ...shape]) };
    if (job.mixtures) feeds.classes = new ort.Tensor("float32", job.mixtures, [job.count, 10]);
    const { images } = await session.run(feeds);
    return Uint8ClampedArray.from(images.data, (value) => (value + 1) * 127.5);
  };
}

/**
 * @param {string[]} names
 * @param {{count: number, rounds: number, threads: number, onnx: boolean}} options
 */
export async function measure(names, { count, rounds, threads, onnx }) {
  const [shared, single] = await Promise.all([threads, 1].map((workers) => createEngine({ workers })));
  const plain = onnx ? null : await createEngine({ workers: 1, kernel: "./none.wasm" });
  const found = {};
  for (const name of names) {
    const [ours, alone, slow] = await Promise.all(
      [shared, single, plain].map((engine) => engine && loaded(engine, name)),
    );
    const ways = {
      shared: (request) => ours.draw(request),
      alone: (request) => alone.draw(request),
      other: slow ? (request) => slow.draw(request) : await byOnnxRuntime(name, alone),
    };
    const times = { shared: [], alone: [], other: [] };
    let difference = 0;
    for (let round = -WARM; round < rounds; round++) {
      const request = { count, seed: SEED, temperature: 1 + round / 1000 };
      const drawn = {};
      for (const [way, draw] of Object.entries(ways)) {
        const began = performance.now();
        drawn[way] = await draw(request);
        if (round >= 0) times[way].push(performance.now() - began);
      }
      drawn.alone.forEach((level, i) => (difference = Math.max(difference, Math.abs(level - drawn.other[i]))));
    }
    found[name] = { ...times, difference };
    for (const model of [ours, alone, slow]) model?.free();
  }
  for (const engine of [shared, single, plain]) engine?.close();
  return found;
}
