/**
 * The functions of kernel.c in plain JavaScript, for where WebAssembly has no SIMD: same pixels, fewer pictures.
 *
 * Pointers are bytes from the buffer's start, as WebAssembly's are.
 */

const LANES = 8;

/** @typedef {(...numbers: number[]) => void} Kernel */

/**
 * @param {Float32Array} f the memory as numbers
 * @param {Int32Array} n the same as whole numbers
 * @returns {Record<string, Kernel>}
 */
export function plainKernels(f, n) {
  const sums = new Float64Array(4 * LANES);
  const leaky = (/** @type {number} */ v, /** @type {number} */ slope) => (v < 0 ? v * slope : v);

  /** Add a row of `inputs` numbers times weights to the sums of one output. */
  function accumulate(
    /** @type {number} */ to,
    /** @type {number} */ row,
    /** @type {number} */ w,
    /** @type {number} */ step,
    /** @type {number} */ inputs,
  ) {
    let s0 = sums[to],
      s1 = sums[to + 1],
      s2 = sums[to + 2],
      s3 = sums[to + 3];
    let s4 = sums[to + 4],
      s5 = sums[to + 5],
      s6 = sums[to + 6],
      s7 = sums[to + 7];
    for (let i = 0; i < inputs; i++, row += LANES, w += step) {
      const weight = f[w];
      s0 += weight * f[row];
      s1 += weight * f[row + 1];
      s2 += weight * f[row + 2];
      s3 += weight * f[row + 3];
      s4 += weight * f[row + 4];
      s5 += weight * f[row + 5];
      s6 += weight * f[row + 6];
      s7 += weight * f[row + 7];
    }
    sums[to] = s0;
    sums[to + 1] = s1;
    sums[to + 2] = s2;
    sums[to + 3] = s3;
    sums[to + 4] = s4;
    sums[to + 5] = s5;
    sums[to + 6] = s6;
    sums[to + 7] = s7;
  }

  /** Write the sums of `outputs` rows. */
  function store(
    /** @type {number} */ out,
    /** @type {number} */ from,
    /** @type {number} */ numbers,
    /** @type {number} */ slope,
  ) {
    for (let i = 0; i < numbers; i++) f[out + i] = leaky(sums[from + i], slope);
  }

  /** @type {Record<string, Kernel>} */
  const kernels = {
    product(x, weights, bias, out, table, places, blocks, xStride, outStride, outputs, inputs, taps, slope) {
      for (let o = 0; o < outputs; o += 4) {
        const packed = (weights >> 2) + o * taps * inputs;
        const kept = Math.min(4, outputs - o);
        for (let block = 0; block < blocks; block++) {
          const from = (x >> 2) + block * xStride;
          let entry = table >> 2;
          for (let place = 0; place < places; place++) {
            for (let i = 0; i < kept; i++) sums.fill(f[(bias >> 2) + o + i], i * LANES, (i + 1) * LANES);
            for (let count = n[entry++]; count > 0; count--, entry += 2) {
              const row = from + n[entry] * inputs * LANES;
              const w = packed + n[entry + 1] * inputs * 4;
              for (let i = 0; i < kept; i++) accumulate(i * LANES, row, w + i, 4, inputs);
            }
            store((out >> 2) + block * outStride + (place * outputs + o) * LANES, 0, kept * LANES, slope);
          }
        }
      }
    },

    single(x, weights, bias, out, table, groups, blocks, xStride, outStride, inputs, zeros, slope) {
      for (let block = 0; block < blocks; block++) {
        const from = (x >> 2) + block * xStride;
        let entry = table >> 2;
        for (let group = 0; group < groups; group++) {
          const to = entry + 1;
          let count = n[entry];
          entry += 5;
          sums.fill(f[bias >> 2]);
          for (; count > 0; count--, entry += 5) {
            for (let i = 0; i < 4; i++) {
              const place = n[entry + 1 + i];
              const w = (weights >> 2) + n[entry] * inputs;
              if (place >= 0) accumulate(i * LANES, from + place * inputs * LANES, w, 1, inputs);
            }
          }
          for (let i = 0; i < 4; i++)
            store((out >> 2) + block * outStride + n[to + i] * LANES, i * LANES, LANES, slope);
        }
      }
    },

    affine(x, scale, shift, out, places, channels, blocks, stride, scaleStride, one, slope) {
      for (let block = 0; block < blocks; block++) {
        const s = (scale >> 2) + block * scaleStride;
        const t = (shift >> 2) + block * scaleStride;
        for (let place = 0; place < places; place++) {
          const at = block * stride + place * channels * LANES;
          const from = (x >> 2) + at;
          const to = (out >> 2) + at;
          for (let i = 0; i < channels * LANES; i++)
            f[to + i] = leaky(f[from + i] * (f[s + i] + one) + f[t + i], slope);
        }
      }
    },

    statistics(x, gamma, beta, out, places, channels, groups, blocks, stride, outStride, epsilon) {
      const width = (channels / groups) * LANES;
      const total = places * (channels / groups);
      for (let at = 0; at < blocks * groups * LANES; at++) {
        const lane = at % LANES;
        const group = Math.floor(at / LANES) % groups;
        const block = Math.floor(at / LANES / groups);
        const from = (x >> 2) + block * stride + group * width + lane;
        let sum = 0,
          squares = 0;
        for (let place = 0; place < places; place++) {
          for (let c = 0; c < width; c += LANES) sum += f[from + place * channels * LANES + c];
        }
        for (let place = 0; place < places; place++) {
          for (let c = 0; c < width; c += LANES) squares += (f[from + place * channels * LANES + c] - sum / total) ** 2;
        }
        const inverse = 1 / Math.sqrt(squares / total + epsilon);
        const row = group * width + lane;
        const scales = (out >> 2) + block * outStride + row;
        const shifts = scales + channels * LANES;
        for (let c = 0; c < width; c += LANES) {
          f[scales + c] = inverse * f[(gamma >> 2) + row + c];
          f[shifts + c] = f[(beta >> 2) + row + c] - (sum / total) * f[scales + c];
        }
      }
    },

    combine(x, y, out, count, factor) {
      for (let i = 0; i < count; i++) f[(out >> 2) + i] = f[(x >> 2) + i] + factor * f[(y >> 2) + i];
    },

    copy(x, out, table, rows, blocks, xStride, outStride) {
      for (let block = 0; block < blocks; block++) {
        const from = (x >> 2) + block * xStride;
        const to = (out >> 2) + block * outStride;
        for (let i = 0, entry = table >> 2; i < rows; i++, entry += 2) {
          const source = from + n[entry] * LANES;
          f.copyWithin(to + n[entry + 1] * LANES, source, source + LANES);
        }
      }
    },

    activate(x, count, kind, low, high) {
      const each = [
        (/** @type {number} */ v) => Math.tanh(v),
        (/** @type {number} */ v) => 1 / (1 + Math.exp(-v)),
        (/** @type {number} */ v) => v / (1 + Math.exp(-v)),
        (/** @type {number} */ v) => Math.max(low, Math.min(high, v)),
      ][kind];
      for (let i = x >> 2, end = i + count; i < end; i++) f[i] = each(f[i]);
    },

    triangle(packed, mean, z, out, d) {
      let at = packed >> 2;
      for (let row = 0; row < d; row++) {
        let total = f[(mean >> 2) + row];
        for (let i = 0; i <= row; i++) total += f[at++] * f[(z >> 2) + i];
        f[(out >> 2) + row * LANES] = total;
      }
    },
  };
  return kernels;
}
