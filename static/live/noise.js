/**
 * The noise of genlib/noise.py, number by number: sample i's numbers depend on (seed, i) alone.
 *
 * Each sample has a Philox stream of its own (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3": four
 * words of 64 bits, ten rounds), keyed by the seed and started at counter i. Normals come from a ziggurat of 256 layers
 * (Marsaglia and Tsang 2000), in single precision as numpy's for float32, in double precision as for float64.
 */

const { fround } = Math;
const ROUNDS = 10;
const LAYERS = 256;
const TAIL = 3.6541528853610088; // where the base layer's rectangle ends
const AREA = 0.004928673233974652; // of each layer

const scratch = new Uint32Array(4);

/**
 * A product of two words of 64 bits into `scratch`, four words of 32, lowest first.
 *
 * The schoolbook product of digits of 16 bits, row by row; no sum exceeds 32 bits.
 * @param {number} a0
 * @param {number} a1
 * @param {number} b0
 * @param {number} b1
 */
function multiply(a0, a1, b0, b1) {
  const low = high(a0, b0);
  const cross = Math.imul(a0, b1) >>> 0;
  const other = Math.imul(a1, b0) >>> 0;
  const second = low + cross + other; // below 2^34: exact, as are all sums here
  const carry = (second / 4294967296) | 0;
  const third = high(a0, b1) + high(a1, b0) + (Math.imul(a1, b1) >>> 0) + carry;
  scratch[0] = Math.imul(a0, b0);
  scratch[1] = second;
  scratch[2] = third;
  scratch[3] = high(a1, b1) + ((third / 4294967296) | 0);
}

/**
 * Upper 32 bits of a product of two 32-bit words.
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function high(a, b) {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const first = (Math.imul(a1, b0) >>> 0) + (Math.imul(a0, b0) >>> 16); // below 2^32, as is the next
  const second = (Math.imul(a0, b1) >>> 0) + (first & 0xffff);
  return ((Math.imul(a1, b1) >>> 0) + (first >>> 16) + (second >>> 16)) >>> 0;
}

/** A counter-based stream of words of 32 bits, read as numpy's Generator reads its own. */
export class Philox {
  constructor() {
    this.counter = new Uint32Array(8); // four words of 64 bits, the low half of each first
    this.keys = new Uint32Array(4 * ROUNDS);
    this.buffer = new Uint32Array(8);
    this.position = 8;
  }

  /**
   * The stream of one sample, from its beginning.
   * @param {number} seed
   * @param {number} index
   */
  seek(seed, index) {
    this.schedule(seed);
    this.counter.fill(0);
    this.counter[6] = index >>> 0;
    this.counter[7] = Math.floor(index / 2 ** 32);
    this.position = 8;
  }

  /**
   * The keys of all rounds: the seed, raised each round by constants.
   * @param {number} seed
   */
  schedule(seed) {
    const keys = this.keys;
    keys.set([seed >>> 0, 0, 0, 0]);
    for (let i = 4; i < keys.length; i += 4) {
      const first = keys[i - 4] + 0x7f4a7c15;
      const second = keys[i - 2] + 0x84caa73b;
      keys[i] = first >>> 0;
      keys[i + 1] = keys[i - 3] + 0x9e3779b9 + (first > 0xffffffff ? 1 : 0);
      keys[i + 2] = second >>> 0;
      keys[i + 3] = keys[i - 1] + 0xbb67ae85 + (second > 0xffffffff ? 1 : 0);
    }
  }

  /** Fill the buffer with the next four words of 64 bits. */
  refill() {
    const { counter, keys, buffer } = this;
    for (let i = 0; i < 8; i++) if (++counter[i]) break; // a typed array's element wraps to 0, which is the carry
    let a0 = counter[0],
      a1 = counter[1],
      b0 = counter[2],
      b1 = counter[3];
    let c0 = counter[4],
      c1 = counter[5],
      d0 = counter[6],
      d1 = counter[7];
    for (let i = 0; i < 4 * ROUNDS; i += 4) {
      multiply(a0, a1, 0xe14c6c93, 0xd2e7470e);
      const l0 = scratch[0];
      const l1 = scratch[1];
      const e0 = scratch[2] ^ d0 ^ keys[i + 2];
      const e1 = scratch[3] ^ d1 ^ keys[i + 3];
      multiply(c0, c1, 0x95121157, 0xca5a8263);
      a0 = scratch[2] ^ b0 ^ keys[i];
      a1 = scratch[3] ^ b1 ^ keys[i + 1];
      b0 = scratch[0];
      b1 = scratch[1];
      c0 = e0;
      c1 = e1;
      d0 = l0;
      d1 = l1;
    }
    buffer[0] = a0;
    buffer[1] = a1;
    buffer[2] = b0;
    buffer[3] = b1;
    buffer[4] = c0;
    buffer[5] = c1;
    buffer[6] = d0;
    buffer[7] = d1;
    this.position = 0;
  }

  /**
   * The next word of 32 bits: of each word of 64, the lower half first.
   * @returns {number}
   */
  next() {
    if (this.position === 8) this.refill();
    return this.buffer[this.position++];
  }

  /**
   * A uniform number in [0, 1) of 24 bits.
   * @returns {number}
   */
  uniform32() {
    return (this.next() >>> 8) / 16777216;
  }

  /**
   * A uniform number in [0, 1) of 53 bits.
   * @returns {number}
   */
  uniform64() {
    const low = this.next();
    return (this.next() * 2097152 + (low >>> 11)) / 9007199254740992;
  }
}

/** The ziggurat's layers: right edges x, densities f = exp(-x^2 / 2), the share of each that lies under the next. */
const ZIGGURAT = (() => {
  const density = (/** @type {number} */ x) => Math.exp(-0.5 * x * x);
  const x = new Float64Array(LAYERS);
  const f = new Float64Array(LAYERS);
  const inner = new Float64Array(LAYERS);
  x[LAYERS - 1] = TAIL;
  for (let i = LAYERS - 2; i > 0; i--) x[i] = Math.sqrt(-2 * Math.log(AREA / x[i + 1] + density(x[i + 1])));
  for (let i = 1; i < LAYERS; i++) f[i] = density(x[i]);
  for (let i = 2; i < LAYERS; i++) inner[i] = x[i - 1] / x[i];
  x[0] = AREA / f[LAYERS - 1]; // the base layer, with the tail counted in
  f[0] = 1;
  inner[0] = TAIL / x[0];
  return { x, f, inner };
})();
const STEP32 = Float32Array.from(ZIGGURAT.x, (x) => x / 2 ** 23);
const DENSITY32 = Float32Array.from(ZIGGURAT.f);
const INNER32 = Float64Array.from(ZIGGURAT.inner, (share) => Math.round(share * 2 ** 23));
const STEP64 = ZIGGURAT.x.map((x) => x / 2 ** 52);
const INNER64 = ZIGGURAT.inner.map((share) => Math.round(share * 2 ** 52));
const TAIL32 = fround(TAIL);
const INVERSE_TAIL32 = fround(1 / TAIL);

/**
 * A standard normal number in single precision.
 * @param {Philox} stream
 * @returns {number}
 */
function normal32(stream) {
  for (;;) {
    const word = stream.next();
    const layer = word & 0xff;
    const magnitude = (word >>> 9) & 0x7fffff;
    const x = fround(magnitude * STEP32[layer]);
    const signed = word & 0x100 ? -x : x;
    if (magnitude < INNER32[layer]) return signed;
    if (layer === 0) return tail32(stream, Boolean(magnitude & 0x100));
    const height = fround(fround(DENSITY32[layer - 1] - DENSITY32[layer]) * stream.uniform32());
    if (fround(height + DENSITY32[layer]) < Math.exp(-0.5 * x * x)) return signed;
  }
}

/**
 * A number beyond the base layer (Marsaglia 1964).
 * @param {Philox} stream
 * @param {boolean} negative
 * @returns {number}
 */
function tail32(stream, negative) {
  for (;;) {
    const x = fround(-INVERSE_TAIL32 * fround(Math.log1p(-stream.uniform32())));
    const y = fround(-Math.log1p(-stream.uniform32()));
    if (fround(y + y) > fround(x * x)) return negative ? -fround(TAIL32 + x) : fround(TAIL32 + x);
  }
}

/**
 * A standard normal number in double precision.
 * @param {Philox} stream
 * @returns {number}
 */
function normal64(stream) {
  for (;;) {
    const low = stream.next();
    const high = stream.next();
    const layer = low & 0xff;
    const magnitude = (low >>> 9) + (high & 0x1fffffff) * 8388608; // 52 bits
    const x = magnitude * STEP64[layer];
    const signed = low & 0x100 ? -x : x;
    if (magnitude < INNER64[layer]) return signed;
    if (layer === 0) return tail64(stream, Boolean(magnitude & 0x100));
    const height = (ZIGGURAT.f[layer - 1] - ZIGGURAT.f[layer]) * stream.uniform64() + ZIGGURAT.f[layer];
    if (height < Math.exp(-0.5 * x * x)) return signed;
  }
}

/**
 * The same in double precision.
 * @param {Philox} stream
 * @param {boolean} negative
 * @returns {number}
 */
function tail64(stream, negative) {
  for (;;) {
    const x = (-1 / TAIL) * Math.log1p(-stream.uniform64());
    const y = -Math.log1p(-stream.uniform64());
    if (y + y > x * x) return negative ? -(TAIL + x) : TAIL + x;
  }
}

/**
 * Standard normal rows of the samples start, ..., start + count - 1 of a seed (noise.normal).
 * @param {number} seed
 * @param {number} count
 * @param {number} size
 * @param {number} [start]
 * @returns {Float32Array} count x size
 */
export function normal(seed, count, size, start = 0) {
  const rows = new Float32Array(count * size);
  const stream = new Philox();
  for (let i = 0, at = 0; i < count; i++) {
    stream.seek(seed, start + i);
    for (let j = 0; j < size; j++) rows[at++] = normal32(stream);
  }
  return rows;
}

/**
 * Latents of a Gaussian mixture: a uniform number that picks the component, then size - 1 normals.
 * @param {number} seed
 * @param {number} count
 * @param {number} size
 * @param {number} [start]
 * @returns {Float32Array} count x size
 */
export function uniformAndNormal(seed, count, size, start = 0) {
  const rows = new Float32Array(count * size);
  const stream = new Philox();
  for (let i = 0, at = 0; i < count; i++) {
    stream.seek(seed, start + i);
    rows[at++] = stream.uniform64();
    for (let j = 1; j < size; j++) rows[at++] = normal64(stream);
  }
  return rows;
}
