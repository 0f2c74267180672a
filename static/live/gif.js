/** Moving pictures in 256 greys as a GIF: version 89a, with Netscape's extension for a loop without an end. */

const CLEAR = 256; // of the codes: forget what was learned
const END = 257;
const FIRST = 258; // that stands for more than one byte
const MOST_BITS = 12;
const BLOCK = 255; // bytes that a block of data holds at most

/** Bytes that become more. */
class Bytes {
  constructor() {
    this.data = new Uint8Array(1 << 16);
    this.length = 0;
  }

  /**
   * @param {ArrayLike<number>} bytes
   */
  add(bytes) {
    if (this.length + bytes.length > this.data.length) {
      const more = new Uint8Array(2 * (this.length + bytes.length));
      more.set(this.data);
      this.data = more;
    }
    this.data.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** @param {string} letters */
  text(letters) {
    this.add(Array.from(letters, (letter) => letter.charCodeAt(0)));
  }

  /** @param {number[]} numbers of 16 bits, the lower byte first */
  words(...numbers) {
    this.add(numbers.flatMap((number) => [number & 255, number >> 8]));
  }
}

/**
 * The file.
 * @param {number} width
 * @param {number} height
 * @param {Iterable<Uint8Array>} frames grey levels, (height x width) each
 * @param {number} delay hundredths of a second that each is shown
 * @returns {Uint8Array}
 */
export function gif(width, height, frames, delay) {
  const file = new Bytes();
  file.text("GIF89a");
  file.words(width, height);
  file.add([0xf7, 0, 0]); // a table of 256 colours for all frames
  file.add(Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3)));
  file.add([0x21, 0xff, 11]);
  file.text("NETSCAPE2.0");
  file.add([3, 1, 0, 0, 0]);
  for (const levels of frames) {
    file.add([0x21, 0xf9, 4, 0]);
    file.words(delay);
    file.add([0, 0, 0x2c]);
    file.words(0, 0, width, height);
    file.add([0, 8]); // bits of a level
    const codes = compressed(levels);
    for (let at = 0; at < codes.length; at += BLOCK) {
      const block = codes.subarray(at, at + BLOCK);
      file.add([block.length]);
      file.add(block);
    }
    file.add([0]);
  }
  file.add([0x3b]);
  return file.data.slice(0, file.length);
}

const longer = new Int16Array(1 << (MOST_BITS + 8)); // the code of a code's string and one byte more, or -1

/**
 * Codes of growing width, the lowest bits first (Welch 1984, "A technique for high-performance data compression").
 * @param {Uint8Array} levels
 * @returns {Uint8Array}
 */
function compressed(levels) {
  const out = new Uint8Array(2 * levels.length + 16); // a code is at most 12 bits and at least one level
  let length = 0;
  let held = 0; // bits that fill no byte yet
  let count = 0;
  let bits = 9;
  let next = FIRST;
  const emit = (/** @type {number} */ code) => {
    held |= code << count;
    for (count += bits; count >= 8; count -= 8, held >>>= 8) out[length++] = held & 255;
    if (next === 1 << bits && bits < MOST_BITS) bits++;
  };
  const forget = () => {
    emit(CLEAR);
    longer.fill(-1);
    bits = 9;
    next = FIRST;
  };
  forget();
  let code = levels[0];
  for (let i = 1; i < levels.length; i++) {
    const key = (code << 8) | levels[i];
    if (longer[key] >= 0) code = longer[key];
    else {
      emit(code);
      if (next < 1 << MOST_BITS) longer[key] = next++;
      else forget();
      code = levels[i];
    }
  }
  emit(code);
  emit(END);
  if (count) out[length++] = held & 255;
  return out.subarray(0, length);
}
