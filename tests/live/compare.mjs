/**
 * How far the engine's pictures are from Python's: node compare.mjs DIRECTORY [kernel.wasm]
 *
 * The directory holds program.json, weights.safetensors, cases.json (a list of requests) and their pictures as 0.bin, ...
 * Prints JSON: for the kernel and for plain JavaScript, the largest difference of each case.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Generator } from "../../static/live/generator.js";
import { compileKernel } from "../../static/live/kernel.js";

const [directory, kernel] = process.argv.slice(2);
const { module, notice } = await compileKernel(kernel && pathToFileURL(kernel));
if (!module) throw new Error(notice);
const read = (name) => new Uint8Array(readFileSync(join(directory, name)));
const json = (name) => JSON.parse(readFileSync(join(directory, name), "utf8"));

/** The largest difference, or Infinity where the pictures are others in number. */
function difference(drawn, expected) {
  if (drawn.length !== expected.length) return 1e9;
  return drawn.reduce((largest, level, i) => Math.max(largest, Math.abs(level - expected[i])), 0);
}

const result = {};
for (const [name, used] of [["kernel", module], ["plain", null]]) {
  const generator = new Generator(json("program.json"), read("weights.safetensors"), used);
  result[name] = json("cases.json").map((request, i) => difference(generator.draw(request), read(`${i}.bin`)));
}
console.log(JSON.stringify(result));
