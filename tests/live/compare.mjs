/**
 * How far the engine's pictures are from Python's: node compare.mjs DIRECTORY [another kernel.wasm]
 *
 * The directory holds program.json, weights.safetensors, cases.json (a list of requests) and their pictures as 0.bin,
 * 1.bin, ... Prints JSON: the largest difference of each case, for the shipped kernel, for another where one is given,
 * and for plain JavaScript, which is slow and draws the small cases alone.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Generator } from "../../static/live/generator.js";
import { compileKernel, fetchPlain } from "../../static/live/kernel.js";

const [directory, kernel] = process.argv.slice(2);
const FEW = 6; // pictures
const read = (name) => new Uint8Array(readFileSync(join(directory, name)));
const json = (name) => JSON.parse(readFileSync(join(directory, name), "utf8"));

/** The largest difference, or Infinity where the pictures are others in number. */
function difference(drawn, expected) {
  if (drawn.length !== expected.length) return 1e9;
  return drawn.reduce((largest, level, i) => Math.max(largest, Math.abs(level - expected[i])), 0);
}

/** @param {WebAssembly.Module | null} module */
function differences(module) {
  const generator = new Generator(json("program.json"), read("weights.safetensors"), module);
  const drawn = json("cases.json").map((request, i) => {
    return (module || request.count <= FEW) && difference(generator.draw(request), read(`${i}.bin`));
  });
  return drawn.filter((each) => each !== false);
}

async function compiled(address) {
  const { module, notice } = await compileKernel(address);
  if (!module) throw new Error(notice);
  return module;
}

await fetchPlain();
const result = { kernel: differences(await compiled()), plain: differences(null) };
if (kernel) result.other = differences(await compiled(pathToFileURL(kernel)));
console.log(JSON.stringify(result));
