/** What is saved: pictures put together, and films as GIFs that others' decoders read. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { gif } from "../../static/live/gif.js";
import { enlarged, sheetOf, sideBySide } from "../../static/live/sheet.js";

/** Frames of a GIF as this writer makes them: one table of greys, whole frames, no transparency. */
function decoded(file) {
  const word = (at) => file[at] | (file[at + 1] << 8);
  const [width, height] = [word(6), word(8)];
  const frames = [];
  const delays = [];
  let at = 13 + 3 * 256;
  while (file[at] !== 0x3b) {
    if (file[at] === 0x21) {
      if (file[at + 1] === 0xf9) delays.push(word(at + 4));
      for (at += 2; file[at]; at += file[at] + 1);
      at += 1;
      continue;
    }
    assert.equal(file[at], 0x2c);
    assert.deepEqual([word(at + 5), word(at + 7)], [width, height]);
    assert.equal(file[at + 10], 8);
    const data = [];
    for (at += 11; file[at]; at += file[at] + 1) data.push(...file.subarray(at + 1, at + 1 + file[at]));
    at += 1;
    frames.push(expanded(data));
  }
  assert.equal(at, file.length - 1);
  return { width, height, frames, delays };
}

/** The decoder's half of LZW, by the book. */
function expanded(data) {
  const out = [];
  let bits = 9;
  let position = 0;
  let strings = [];
  let before = null;
  for (;;) {
    let code = 0;
    for (let i = 0; i < bits; i++, position++) code |= ((data[position >> 3] >> (position & 7)) & 1) << i;
    if (code === 257) return Uint8Array.from(out);
    if (code === 256) {
      strings = Array.from({ length: 258 }, (_, i) => [i]);
      bits = 9;
      before = null;
      continue;
    }
    assert(code <= strings.length, "a code that stands for nothing");
    const string = code < strings.length ? strings[code] : [...before, before[0]];
    for (const level of string) out.push(level);
    if (before && strings.length < 4096) strings.push([...before, string[0]]);
    if (strings.length === 1 << bits && bits < 12) bits += 1;
    before = string;
  }
}

const noise = (length, levels) => {
  let state = 1;
  return Uint8Array.from({ length }, () => (state = (state * 48271) % 2147483647) % levels);
};

test("frames come out of a GIF as they went in", () => {
  for (const [width, height] of [[1, 1], [2, 1], [28, 28], [231, 57], [300, 200]]) {
    const size = width * height;
    const frames = [noise(size, 256), noise(size, 3), new Uint8Array(size), noise(size, 17)];
    const file = gif(width, height, frames, 8);
    assert.equal(new TextDecoder().decode(file.subarray(0, 6)), "GIF89a");
    assert.deepEqual(decoded(file), { width, height, frames, delays: [8, 8, 8, 8] });
  }
});

test("pictures are put in rows, models side by side, pixels enlarged", () => {
  const pictures = Uint8Array.from({ length: 3 * 784 }, (_, i) => Math.floor(i / 784));
  const sheet = sheetOf(pictures, 2);
  assert.deepEqual([sheet.width, sheet.height], [57, 57]);
  assert.deepEqual([0, 27, 28, 29, 56].map((x) => sheet.levels[x]), [0, 0, 255, 1, 1]);
  assert.equal(sheet.levels[29 * 57], 2);
  assert.equal(sheet.levels[29 * 57 + 40], 255); // there is no fourth
  const both = sideBySide([sheet, sheetOf(pictures.subarray(784), 1)]);
  assert.deepEqual([both.width, both.height], [57 + 8 + 28, 57]);
  assert.deepEqual([56, 60, 65].map((x) => both.levels[x]), [1, 255, 1]);
  const large = enlarged({ width: 2, height: 1, levels: Uint8Array.of(7, 9) }, 2);
  assert.deepEqual(large, { width: 4, height: 2, levels: Uint8Array.of(7, 7, 9, 9, 7, 7, 9, 9) });
});
