/** The engine by itself: what it draws on any number of threads, and one clear line for everything it refuses. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { LiveError, createEngine } from "../../static/live/engine.js";
import { sha256 } from "../../static/live/sha256.js";
import { tiny, weightsOf } from "./tiny.mjs";

let engine, alone;
before(async () => {
  engine = await createEngine({ workers: 2 });
  alone = await createEngine({ workers: 0 });
});
after(() => engine.close());

/** Rejects with a LiveError of one line that matches. */
async function refused(promise, match) {
  await assert.rejects(promise, (error) => {
    assert(error instanceof LiveError, error.stack);
    assert.match(error.message, match);
    assert(!error.message.includes("\n"));
    return true;
  });
}

const load = (changes, by = alone) => {
  const { program, weights } = tiny(changes);
  return by.load(program, weights);
};

test("threads draw what one thread draws, sample by sample", async () => {
  const model = await load({}, engine);
  for (const count of [1, 7, 8, 9, 40, 64, 100]) {
    const all = await model.draw({ count, seed: 3 });
    assert.equal(all.length, count * 784);
    assert.deepEqual(all, model.drawNow({ count, seed: 3 }));
  }
  const whole = model.drawNow({ count: 20, seed: 3 });
  assert.deepEqual(await model.draw({ count: 5, seed: 3, start: 15 }), whole.slice(15 * 784));
  await model.free();
  await refused(model.draw({ count: 1 }), /freed/);
});

test("many requests at once are answered each with its own", async () => {
  const model = await load({}, engine);
  const seeds = Array.from({ length: 30 }, (_, seed) => seed);
  const drawn = await Promise.all(seeds.map((seed) => model.draw({ count: 1 + (seed % 17), seed })));
  seeds.forEach((seed) => assert.deepEqual(drawn[seed], model.drawNow({ count: 1 + (seed % 17), seed })));
});

test("classes, mixtures, temperature and moves mean what they say", async () => {
  const model = await load({});
  const one = model.drawNow({ count: 10, seed: 1, classes: 4 });
  assert.deepEqual(model.drawNow({ count: 10, seed: 1, classes: Array(10).fill(4) }), one);
  assert.deepEqual(model.drawNow({ count: 10, seed: 1, mixture: [0, 0, 0, 0, 1, 0, 0, 0, 0, 0] }), one);
  assert.notDeepEqual(model.drawNow({ count: 10, seed: 1, classes: 5 }), one);
  const turns = model.drawNow({ count: 12, seed: 1 });
  assert.deepEqual(model.drawNow({ count: 12, seed: 1, classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1] }), turns);
  const still = model.drawNow({ count: 2, classes: 1, temperature: 0 });
  assert.deepEqual(still.slice(0, 784), still.slice(784));
  const moved = model.drawNow({ count: 1, moves: [2] });
  assert.deepEqual(model.drawNow({ count: 1, shift: [2, 0] }), moved);
  assert.notDeepEqual(model.drawNow({ count: 1 }), moved);
});

test("between two seeds lies an arc, which begins at one and ends at the other", async () => {
  const model = await load({});
  const ask = (request) => model.drawNow({ count: 3, ...request });
  assert.deepEqual(ask({ seed: 1, toward: 2, share: 0 }), ask({ seed: 1 }));
  assert.deepEqual(ask({ seed: 1, toward: 2, share: 1 }), ask({ seed: 2 }));
  assert.notDeepEqual(ask({ seed: 1, toward: 2, share: 0.5 }), ask({ seed: 1 }));
  assert.deepEqual(ask({ seed: 1, toward: 2, share: 0.3 }), ask({ seed: 2, toward: 1, share: 0.7 }));
  await refused(model.draw({ count: 1, share: 1.5 }), /share must be a number from 0 to 1/);
  await refused(model.draw({ count: 1, toward: -1 }), /toward must be a whole number/);
});

test("one sample is drawn at many places of the arc", async () => {
  const model = await load({}, engine);
  const [seed, toward, start] = [1, 2, 14];
  const shares = Array.from({ length: 20 }, (_, i) => i / 19);
  const film = await model.draw({ seed, toward, start, shares });
  assert.deepEqual(film, model.drawNow({ seed, toward, start, shares }));
  shares.forEach((share, i) => {
    const alone = model.drawNow({ seed, toward, start, share, count: 1 });
    assert.deepEqual(film.slice(i * 784, (i + 1) * 784), alone);
  });
  await refused(model.draw({ shares: [0, 2] }), /each of the shares must be a number from 0 to 1/);
  await refused(model.draw({ shares: [] }), /count must be a whole number from 1/);
});

/** A model that integrates: its velocity is a dense layer of the image itself. */
const flow = {
  tensors: (tensors) => {
    const data = Array.from({ length: 784 * 784 }, (_, i) => Math.sin(i) / 784);
    tensors.weight = { shape: [784, 784], data };
  },
  program: (program) => {
    program.operations = [
      { op: "latent", shape: [1, 28, 28], noise: "normal" },
      { op: "reshape", inputs: [0], shape: [784] },
      { op: "linear", inputs: [1], shape: [784], weight: "weight", bias: "bias" },
      { op: "reshape", inputs: [2], shape: [1, 28, 28] },
    ];
    Object.assign(program, { output: 3, directions: [], integrate: { steps: 8, solver: "heun", guidance: 1 } });
  },
};

test("a path is followed as far as it is asked for", async () => {
  const model = await load(flow, engine);
  const ask = (request) => model.draw({ count: 3, seed: 1, ...request });
  assert.deepEqual(await ask({ taken: 8 }), await ask({}));
  assert.notDeepEqual(await ask({ taken: 7 }), await ask({}));
  assert.deepEqual(await ask({ taken: 0, steps: 3 }), await ask({ taken: 0 })); // the noise itself
  await refused(ask({ steps: 4, taken: 5 }), /taken must be a whole number from 0 to 4, not 5/);
  const both = await Promise.all([ask({ seed: 1 }), ask({ seed: 2 })]); // in the same buffers, one after the other
  assert.deepEqual(both, [model.drawNow({ count: 3, seed: 1 }), model.drawNow({ count: 3, seed: 2 })]);
});

test("a path is left where it is not wanted any more, and the next is followed", async () => {
  const model = await load(flow, engine);
  const stopping = new AbortController();
  const long = model.draw({ count: 16, steps: 1000 }, stopping.signal);
  const short = model.draw({ count: 1, seed: 5 });
  setTimeout(() => stopping.abort(), 20);
  const began = performance.now();
  await refused(long, /the drawing was stopped/);
  const stopped = performance.now() - began;
  assert.deepEqual(await short, model.drawNow({ count: 1, seed: 5 }));
  const again = performance.now();
  await model.draw({ count: 16, steps: 1000 });
  const whole = performance.now() - again;
  assert(stopped < whole / 2, `stopped after ${stopped} ms of ${whole}`);
});

test("settings come from an address, and what it gets wrong has its default", async () => {
  const { readSettings, withSettings } = await import("../../static/live/address.js");
  const usual = readSettings("", 40);
  const asked = readSettings("?n=10&temperature=0&moves=1,-9,2&at=0.5,0&walk=-2.25&nfe=4&guidance=0&taken=3", 40);
  assert.deepEqual(asked, {
    ...{ n: 10, temperature: 0, moves: [1, 0, 2], at: { x: 0.5, y: 0 } },
    ...{ walked: -2.25, steps: 4, guidance: 0, taken: 3 },
  });
  assert.deepEqual(readSettings("?n=7&temperature=x&at=2,0&walk=e&nfe=0.5&guidance=-1&taken=&moves=", 40), {
    ...{ ...usual, moves: [0] },
  });
  assert.equal(readSettings("?nfe=4&taken=5", 40).taken, null);
  const url = withSettings("http://here/?a=1&beside=x&walk=2", { beside: ["y", "z"], walk: null, n: 1 });
  assert.equal(url, "http://here/?a=1&beside=y&beside=z&n=1");
});

test("the wheel mixes neighbours on its rim and all classes towards its middle", async () => {
  const { inWords, mixtureAt, placeOf } = await import("../../static/live/wheel.js");
  assert.equal(mixtureAt({ x: 0, y: 0 }), null);
  for (let label = 0; label < 10; label++) {
    const shares = mixtureAt(placeOf(label));
    assert(shares[label] > 0.999, `${label}: ${shares}`);
  }
  for (const place of [{ x: 0.3, y: -0.4 }, { x: -1, y: 1 }, { x: 0.01, y: 0.99 }]) {
    const sum = mixtureAt(place).reduce((total, share) => total + share);
    assert(Math.abs(sum - 1) < 1e-9);
  }
  assert.match(inWords(mixtureAt(placeOf(5))), /^Sandal 100 %$/);
});

test("weights that are cut off, altered or another's are refused", async () => {
  const { program, weights } = tiny();
  for (const length of [0, 7, 8, 100, weights.length - 1]) {
    await refused(alone.load(program, weights.slice(0, length)), /the weights have \d+ bytes; the program's have \d+/);
  }
  const altered = weights.slice();
  altered[weights.length - 5] ^= 1;
  await refused(alone.load(program, altered), /SHA-256 differs/);
  await refused(alone.load(program, new Uint8Array(weights.length)), /SHA-256 differs/);
  await refused(load({ tensors: (tensors) => (tensors.bias.data[9] = NaN) }), /bias holds numbers that are not finite/);
  await refused(load({ tensors: (tensors) => delete tensors.bias }), /"bias", which the weights lack/);
  await refused(load({ tensors: (tensors) => (tensors.weight.shape = [392, 6]) }), /must have shape \[392,3\]/);
});

/** The program of weights that are no safetensors at all, with their own right digest. */
function described(bytes) {
  const { program } = tiny();
  return { ...program, weights: { bytes: bytes.length, sha256: sha256(bytes) } };
}

test("files that are no safetensors are refused", async () => {
  const text = (words) => new TextEncoder().encode(words);
  const framed = (header) =>
    Uint8Array.from([header.length & 255, header.length >> 8, 0, 0, 0, 0, 0, 0, ...text(header)]);
  const cases = [
    [new Uint8Array(0), /cut off/],
    [text("hello, this is a text"), /cut off/],
    [framed("[1]"), /not a JSON object/],
    [framed("{{"), /not a JSON object/],
    [framed('{"bias":3}'), /must hold F16 or F32/],
    [framed('{"bias":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}'), /must hold F16 or F32/],
    [framed('{"bias":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'), /no valid shape/],
    [framed('{"bias":{"dtype":"F32","shape":[4000000000],"data_offsets":[0,16000000000]}}'), /does not fit its place/],
    [framed('{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}'), /does not fit its place/],
  ];
  for (const [bytes, match] of cases) await refused(alone.load(described(bytes), bytes), match);
});

test("programs that are damaged, of another version or too large are refused", async () => {
  const { weights } = tiny();
  await refused(alone.load('{"format": 1, "oper', weights), /not readable JSON/);
  await refused(alone.load(null, weights), /the program's have/);
  const cases = [
    [(program) => (program.format = 2), /format 2; this engine reads 1/],
    [(program) => delete program.operations, /no list of operations/],
    [(program) => (program.operations = []), /number of operations/],
    [
      (program) => (program.operations[4].op = "attention"),
      /unknown kind, "attention": the program is for another version/,
    ],
    [(program) => (program.operations[4].op = "constructor"), /unknown kind/],
    [(program) => (program.operations[4] = null), /unknown kind/],
    [(program) => (program.operations[4].inputs = [5]), /must read 1 earlier/],
    [(program) => (program.operations[4].inputs = "ab"), /must read 1 earlier/],
    [(program) => (program.operations[4].shape = [1e9]), /no shape this engine can hold/],
    [(program) => (program.operations[4].shape = [0]), /no shape this engine can hold/],
    [(program) => (program.operations[4].shape = [783]), /gives shape \[784\], not \[783\]/],
    [(program) => (program.operations[0].shape = [1 << 19]), /concatenate, gives shape/],
    [(program) => (program.operations[0].noise = "pink"), /noise must be/],
    [(program) => (program.operations[6].shape = [1, 784, 1]), /output must be an image/],
    [(program) => (program.output = 7), /output must be a whole number/],
    [(program) => program.operations.push({ op: "latent", shape: [2], noise: "normal" }), /one latent/],
    [(program) => (program.integrate = { steps: 8, solver: "heun", guidance: 1 }), /an image as its latent/],
    [(program) => (program.integrate = { steps: 1e9, solver: "heun", guidance: 1 }), /steps must be/],
    [(program) => (program.directions = [{ name: "x", step: [1] }]), /directions must have a name each/],
  ];
  for (const [change, match] of cases) {
    await refused(load({ program: change }), match);
    await refused(load({ program: change }, engine), match);
  }
});

test("a mixture of each class draws from the class it is asked for, and takes a tenth of its components each", async () => {
  const of = (change = () => {}) => ({
    tensors: (tensors) => {
      tensors.weight = { shape: [784, 1], data: Array(784).fill(0.01) };
      tensors.bias.data = Array(784).fill(0);
      tensors.shares = { shape: [20], data: Array.from({ length: 20 }, (_, k) => (k % 2 ? 0 : 1)) };
      tensors.means = { shape: [20, 1], data: Array.from({ length: 20 }, (_, k) => k) };
      tensors.cholesky = { shape: [20, 1], data: Array(20).fill(0) };
    },
    program: (program) => {
      const named = { weights: "shares", means: "means", cholesky: "cholesky", components: 20 };
      program.operations = [
        { op: "latent", shape: [2], noise: "uniform, then normal" },
        { op: "classes", shape: [10] },
        { op: "class_mixture", inputs: [0, 1], shape: [1], ...named },
        { op: "linear", inputs: [2], shape: [784], weight: "weight", bias: "bias" },
        { op: "reshape", inputs: [3], shape: [1, 28, 28] },
      ];
      program.output = 4;
      program.directions = [];
      change(program);
    },
  });
  const model = await load(of());
  const gray = (label) => Math.round(127.5 * (1 + 0.02 * label)); // the mean of its first component; the other is empty
  for (const label of [0, 4, 9])
    assert.deepEqual(new Set(model.drawNow({ count: 50, seed: 0, classes: label })), new Set([gray(label)]));
  const mixture = [0, 0, 0.5, 0, 0, 0, 0, 0, 0.5, 0];
  assert.deepEqual(new Set(model.drawNow({ count: 50, seed: 0, mixture })), new Set([gray(2), gray(8)]));
  await refused(load(of((program) => (program.operations[2].components = 15))), /cannot share 15 components among 10/);
  await refused(load(of((program) => (program.operations[2].inputs = [0, 0]))), /takes 10 shares, not \[2\]/);
  await refused(load(of((program) => (program.operations[0].shape = [3]))), /takes a latent of 2 numbers/);
});

test("a convolution too large for memory is refused before it takes any", async () => {
  const huge = (channels, side, kernel) => ({
    tensors: (tensors) =>
      (tensors.kernel = { shape: [channels, 1, kernel, kernel], data: Array(channels * kernel ** 2).fill(0) }),
    program: (program) => {
      const shape = [channels, side, side];
      const padding = (kernel - 1) / 2;
      program.operations.splice(5, 2, { op: "reshape", inputs: [4], shape: [1, 28, 28] });
      program.operations.push({ op: "upsample", inputs: [5], shape: [1, side, side], factor: side / 28 });
      program.operations.push({ op: "convolution", inputs: [6], shape, weight: "kernel", stride: 1, padding });
      program.output = 5;
    },
  });
  await refused(load(huge(1, 28 * 16, 5)), /reads 5017600 places; at most/);
  await refused(load(huge(40, 28 * 8, 3)), /no shape this engine can hold/);
});

test("requests that make no sense are refused, and the next one is drawn", async () => {
  const model = await load({}, engine);
  const cases = [
    [undefined, /a request must be an object/],
    [{}, /count must be a whole number from 1/],
    [{ count: 0 }, /count/],
    [{ count: 1e6 }, /count/],
    [{ count: 1, seed: -1 }, /seed must be a whole number from 0 to 4294967295, not -1/],
    [{ count: 1, seed: 2 ** 32 }, /seed/],
    [{ count: 1, start: 0.5 }, /start/],
    [{ count: 1, temperature: -1 }, /temperature/],
    [{ count: 1, temperature: NaN }, /temperature/],
    [{ count: 1, classes: 10 }, /classes must be a whole number from 0 to 9, not 10/],
    [{ count: 2, classes: [1] }, /classes must be one, or 2 of them/],
    [{ count: 1, mixture: [1, 0] }, /mixture must have 10 or 10 shares/],
    [{ count: 1, mixture: [2, -1, 0, 0, 0, 0, 0, 0, 0, 0] }, /non-negative and sum to 1/],
    [{ count: 1, mixture: 3 }, /list of finite numbers/],
    [{ count: 1, shift: [1] }, /shift must have 2 numbers, not 1/],
    [{ count: 1, shift: [1, Infinity] }, /shift must be a list of finite numbers/],
    [{ count: 1, moves: [0, 1] }, /moves must have at most 1 numbers/],
    [{ count: 1, steps: 4 }, /takes no steps/],
  ];
  for (const [request, match] of cases) await refused(model.draw(request), match);
  assert.equal((await model.draw({ count: 1 })).length, 784);
});

test("a model without classes takes none", async () => {
  const model = await load({
    tensors: (tensors) => (tensors.weight = { shape: [784, 2], data: Array(1568).fill(0.1) }),
    program: (program) => {
      program.operations.splice(1, 3);
      program.operations.forEach((operation, i) => i && (operation.inputs = [i - 1]));
      program.output = 3;
    },
  });
  assert.equal(model.drawNow({ count: 3 }).length, 3 * 784);
  await refused(model.draw({ count: 1, classes: 1 }), /no classes to choose from/);
});

test("without SIMD the engine says so and draws the same pictures within 1", async () => {
  const broken = join(tmpdir(), `genlib-${process.pid}.wasm`);
  await writeFile(broken, Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 99]));
  const plain = await createEngine({ workers: 1, kernel: pathToFileURL(broken) });
  assert.match(plain.notices.join(), /plain JavaScript, which is slower: no WebAssembly with SIMD/);
  const missing = await createEngine({ workers: 0, kernel: "./none.wasm" });
  assert.equal(missing.notices.length, 1);
  const [fast, slow] = await Promise.all([load({}), load({}, plain)]);
  const pictures = await slow.draw({ count: 20, seed: 2 });
  const difference = fast.drawNow({ count: 20, seed: 2 }).map((level, i) => Math.abs(level - pictures[i]));
  assert(Math.max(...difference) <= 1);
  plain.close();
});

class Forbidden {
  constructor() {
    throw new Error("workers are forbidden here");
  }
}

class Unloadable {
  postMessage() {
    this.onerror({ message: "worker.js is not there" });
  }

  terminate() {
    Unloadable.ended++;
  }
}
Unloadable.ended = 0;

for (const [worker, match] of [
  [Forbidden, /no workers here \(workers are forbidden here\)/],
  [Unloadable, /worker.js is not there/],
]) {
  test(`without threads the engine says so and draws on its own: ${worker.name}`, async () => {
    globalThis.Worker = worker;
    try {
      const single = await createEngine({ workers: 2 });
      assert.match(single.notices.join(), match);
      assert.equal((await (await load({}, single)).draw({ count: 9 })).length, 9 * 784);
      if (worker === Unloadable) assert.equal(Unloadable.ended, 2); // given back
    } finally {
      delete globalThis.Worker;
    }
  });
}

test("a closed engine goes on drawing on its own thread", async () => {
  const closing = await createEngine({ workers: 1 });
  const model = await load({}, closing);
  const before = await model.draw({ count: 3 });
  closing.close();
  assert.deepEqual(await model.draw({ count: 3 }), before);
});

test("SHA-256 is right at every length around a block", () => {
  assert.equal(sha256(new Uint8Array(0)), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(
    sha256(new TextEncoder().encode("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  const million = new Uint8Array(1_000_000).fill(97);
  assert.equal(sha256(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  assert.equal(weightsOf({}).length, 10);
});
