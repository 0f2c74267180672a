/* The live studio's arithmetic as WebAssembly with SIMD; `make kernel` builds kernel.wasm from it.
 *
 * Eight samples lie side by side in every buffer: a row is one number of each of them, 32 bytes, and an image is rows
 * [place][channel]. A block is eight samples; `blocks` of them follow one another at a buffer's stride (in floats).
 * fallback.js has the same functions in plain JavaScript.
 */

typedef float vec __attribute__((vector_size(16)));
typedef int ivec __attribute__((vector_size(16)));
#define EXPORT(name) __attribute__((export_name(#name))) void name
#define LANES 8

static inline vec splat(float value) { return (vec){value, value, value, value}; }
static inline vec smaller(vec a, vec b) { return (vec)(((ivec)a & (a < b)) | ((ivec)b & ~(a < b))); }
static inline vec larger(vec a, vec b) { return (vec)(((ivec)a & (a > b)) | ((ivec)b & ~(a > b))); }

/* LeakyReLU: the slope 1 changes nothing, 0 is ReLU. */
static inline vec leaky(vec v, vec slope) {
  vec zero = splat(0);
  return larger(v, zero) + slope * smaller(v, zero);
}

/* Sums of products: dense layers and convolutions of both kinds, four outputs of eight samples at a time.
 *
 * The table has for each place of the output a count, then pairs: the place of the input that a tap reads, and the tap.
 * Weights are packed [outputs / 4][taps][inputs][4]. */
EXPORT(product)(const float *x, const float *weights, const float *bias, float *out, const int *table, int places,
                int blocks, int x_stride, int out_stride, int outputs, int inputs, int taps, float slope) {
  vec leak = splat(slope);
  for (int o = 0; o < outputs; o += 4, weights += 4 * taps * inputs) {
    for (int block = 0; block < blocks; block++) {
      const float *from = x + block * x_stride;
      const int *entry = table;
      for (int place = 0; place < places; place++) {
        vec a0 = splat(bias[o]), a1 = splat(bias[o + 1]), a2 = splat(bias[o + 2]), a3 = splat(bias[o + 3]);
        vec b0 = a0, b1 = a1, b2 = a2, b3 = a3;
        for (int count = *entry++; count > 0; count--, entry += 2) {
          const vec *row = (const vec *)(from + entry[0] * inputs * LANES);
          const float *w = weights + entry[1] * inputs * 4;
          for (int i = 0; i < inputs; i++, row += 2, w += 4) {
            vec left = row[0], right = row[1];
            vec w0 = splat(w[0]), w1 = splat(w[1]), w2 = splat(w[2]), w3 = splat(w[3]);
            a0 += w0 * left;
            b0 += w0 * right;
            a1 += w1 * left;
            b1 += w1 * right;
            a2 += w2 * left;
            b2 += w2 * right;
            a3 += w3 * left;
            b3 += w3 * right;
          }
        }
        vec *to = (vec *)(out + block * out_stride + (place * outputs + o) * LANES);
        to[0] = leaky(a0, leak);
        to[1] = leaky(b0, leak);
        if (o + 1 < outputs) to[2] = leaky(a1, leak), to[3] = leaky(b1, leak);
        if (o + 2 < outputs) to[4] = leaky(a2, leak), to[5] = leaky(b2, leak);
        if (o + 3 < outputs) to[6] = leaky(a3, leak), to[7] = leaky(b3, leak);
      }
    }
  }
}

/* The same for one output, four places at a time that read the same taps.
 *
 * The table has for each group a count and four places of the output, then for each tap its number and four places of
 * the input; -1, beyond the edge, reads `zeros`. Weights are [taps][inputs]. */
EXPORT(single)(const float *x, const float *weights, const float *bias, float *out, const int *table, int groups,
               int blocks, int x_stride, int out_stride, int inputs, const float *zeros, float slope) {
  vec leak = splat(slope);
  for (int block = 0; block < blocks; block++) {
    const float *from = x + block * x_stride;
    const int *entry = table;
    for (int group = 0; group < groups; group++) {
      const int *to = entry + 1;
      vec a0 = splat(bias[0]), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      int count = *entry;
      entry += 5;
      for (; count > 0; count--, entry += 5) {
        const float *w = weights + entry[0] * inputs;
        const vec *r0 = (const vec *)(entry[1] < 0 ? zeros : from + entry[1] * inputs * LANES);
        const vec *r1 = (const vec *)(entry[2] < 0 ? zeros : from + entry[2] * inputs * LANES);
        const vec *r2 = (const vec *)(entry[3] < 0 ? zeros : from + entry[3] * inputs * LANES);
        const vec *r3 = (const vec *)(entry[4] < 0 ? zeros : from + entry[4] * inputs * LANES);
        for (int i = 0; i < inputs; i++, r0 += 2, r1 += 2, r2 += 2, r3 += 2) {
          vec weight = splat(w[i]);
          a0 += weight * r0[0];
          b0 += weight * r0[1];
          a1 += weight * r1[0];
          b1 += weight * r1[1];
          a2 += weight * r2[0];
          b2 += weight * r2[1];
          a3 += weight * r3[0];
          b3 += weight * r3[1];
        }
      }
      vec *rows = (vec *)(out + block * out_stride);
      rows[2 * to[0]] = leaky(a0, leak), rows[2 * to[0] + 1] = leaky(b0, leak);
      rows[2 * to[1]] = leaky(a1, leak), rows[2 * to[1] + 1] = leaky(b1, leak);
      rows[2 * to[2]] = leaky(a2, leak), rows[2 * to[2] + 1] = leaky(b2, leak);
      rows[2 * to[3]] = leaky(a3, leak), rows[2 * to[3] + 1] = leaky(b3, leak);
    }
  }
}

/* out = x (scale + one) + shift, a row of scales and one of shifts a channel, then LeakyReLU. */
EXPORT(affine)(const float *x, const float *scale, const float *shift, float *out, int places, int channels, int blocks,
               int stride, int scale_stride, float one, float slope) {
  vec leak = splat(slope), more = splat(one);
  for (int block = 0; block < blocks; block++) {
    const vec *from = (const vec *)(x + block * stride);
    vec *to = (vec *)(out + block * stride);
    const vec *s = (const vec *)(scale + block * scale_stride), *t = (const vec *)(shift + block * scale_stride);
    for (int place = 0; place < places; place++, from += 2 * channels, to += 2 * channels)
      for (int i = 0; i < 2 * channels; i++) to[i] = leaky(from[i] * (s[i] + more) + t[i], leak);
  }
}

/* What normalises each group of channels: `out` has a row of scales a channel, then one of shifts, with the channels'
 * own constants gamma and beta, as rows, worked in. */
EXPORT(statistics)(const float *x, const float *gamma, const float *beta, float *out, int places, int channels,
                   int groups, int blocks, int stride, int out_stride, float epsilon) {
  int size = channels / groups;
  for (int block = 0; block < blocks; block++)
    for (int group = 0; group < groups; group++)
      for (int half = 0; half < 2; half++) {
        const vec *from = (const vec *)(x + block * stride) + 2 * group * size + half;
        vec sum = splat(0), squares = splat(0), share = splat(1.0f / (size * places));
        for (int place = 0; place < places; place++)
          for (int c = 0; c < size; c++) sum += from[2 * (place * channels + c)];
        vec mean = sum * share;
        for (int place = 0; place < places; place++)
          for (int c = 0; c < size; c++) {
            vec off = from[2 * (place * channels + c)] - mean;
            squares += off * off;
          }
        vec variance = squares * share + splat(epsilon);
        vec inverse;
        for (int lane = 0; lane < 4; lane++) inverse[lane] = 1.0f / __builtin_sqrtf(variance[lane]);
        vec *scales = (vec *)(out + block * out_stride) + 2 * group * size + half, *shifts = scales + 2 * channels;
        const vec *g = (const vec *)gamma + 2 * group * size + half, *b = (const vec *)beta + 2 * group * size + half;
        for (int c = 0; c < size; c++) {
          scales[2 * c] = inverse * g[2 * c];
          shifts[2 * c] = b[2 * c] - mean * scales[2 * c];
        }
      }
}

/* out = x + factor y, over all of `count` floats. */
EXPORT(combine)(const float *x, const float *y, float *out, int count, float factor) {
  const vec *a = (const vec *)x, *b = (const vec *)y;
  vec *to = (vec *)out, times = splat(factor);
  for (int i = 0; i < count / 4; i++) to[i] = a[i] + times * b[i];
}

/* Rows copied one by one: the table has pairs, a row of x and a row of out. */
EXPORT(copy)(const float *x, float *out, const int *table, int rows, int blocks, int x_stride, int out_stride) {
  for (int block = 0; block < blocks; block++) {
    const vec *from = (const vec *)(x + block * x_stride);
    vec *to = (vec *)(out + block * out_stride);
    for (int i = 0; i < rows; i++) {
      int source = 2 * table[2 * i], target = 2 * table[2 * i + 1];
      to[target] = from[source];
      to[target + 1] = from[source + 1];
    }
  }
}

/* exp: 2^n times the Taylor polynomial of degree 7 on |r| <= ln 2 / 2, right to about one unit in the last place. */
static inline vec exponential(vec x) {
  x = larger(smaller(x, splat(88)), splat(-87));
  const vec magic = splat(12582912.0f); /* 1.5 * 2^23: what is added to it is rounded to a whole number */
  vec shifted = x * splat(1.44269504f) + magic;
  vec n = shifted - magic;
  vec r = x - n * splat(0.693359375f) - n * splat(-2.12194440e-4f);
  vec p = splat(1.0f / 5040);
  p = p * r + splat(1.0f / 720);
  p = p * r + splat(1.0f / 120);
  p = p * r + splat(1.0f / 24);
  p = p * r + splat(1.0f / 6);
  p = p * r + splat(0.5f);
  p = p * r + splat(1);
  p = p * r + splat(1);
  ivec power = (((ivec)shifted - (ivec)magic) + 127) << 23;
  return p * (vec)power;
}

/* In place: 0 tanh, 1 sigmoid, 2 SiLU, 3 clamp to [low, high]. */
EXPORT(activate)(float *x, int count, int kind, float low, float high) {
  vec *row = (vec *)x, one = splat(1);
  for (int i = 0; i < count / 4; i++) {
    vec v = row[i];
    if (kind == 0) row[i] = one - splat(2) / (exponential(v + v) + one);
    if (kind == 1) row[i] = one / (exponential(-v) + one);
    if (kind == 2) row[i] = v / (exponential(-v) + one);
    if (kind == 3) row[i] = larger(smaller(v, splat(high)), splat(low));
  }
}

/* mean + L z for one sample of d numbers, L a lower triangle packed row by row; out is one lane of d rows. */
EXPORT(triangle)(const float *packed, const float *mean, const float *z, float *out, int d) {
  typedef vec loose __attribute__((aligned(4)));
  for (int row = 0; row < d; row++) {
    vec sum = splat(0), other = splat(0);
    int i = 0;
    for (; i + 8 <= row + 1; i += 8) {
      sum += *(const loose *)(packed + i) * *(const loose *)(z + i);
      other += *(const loose *)(packed + i + 4) * *(const loose *)(z + i + 4);
    }
    sum += other;
    float total = mean[row] + ((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (; i <= row; i++) total += packed[i] * z[i];
    out[row * LANES] = total;
    packed += row + 1;
  }
}
