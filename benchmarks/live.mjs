/**
 * Milliseconds of the live engine in Node: node live.mjs ROUNDS THREADS DIRECTORY ...
 *
 * Each directory holds a model's program.json and weights.safetensors. Prints JSON: for each the times of every round,
 * by number of pictures, on one thread, and on as many as asked.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createEngine } from "../static/live/engine.js";

const COUNTS = [16, 40, 64];
const WARM = 5; // rounds until the kernel is compiled at its best
const [rounds, threads, ...directories] = process.argv.slice(2);
const engine = await createEngine({ workers: Number(threads) });
const models = await Promise.all(
  directories.map((directory) => {
    const read = (name) => readFileSync(join(directory, name));
    return engine.load(read("program.json").toString(), read("weights.safetensors"));
  }),
);
const times = models.map(() => ({ alone: {}, shared: {} }));

async function timed(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

for (let round = -WARM; round < Number(rounds); round++) {
  for (const [i, model] of models.entries()) {
    for (const count of COUNTS) {
      const request = { count, seed: 1, temperature: 1 + round / 1000 };
      const alone = await timed(() => model.drawNow(request));
      const shared = await timed(() => model.draw(request));
      if (round < 0) continue;
      (times[i].alone[count] ??= []).push(alone);
      (times[i].shared[count] ??= []).push(shared);
    }
  }
}
console.log(JSON.stringify({ notices: engine.notices, times }));
engine.close();
