/** Shapes of one sample: [features] or [channels, height, width]. */

/**
 * The number of entries of a shape.
 * @param {number[]} shape
 * @returns {number}
 */
export function size(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

/**
 * Whether two shapes are equal.
 * @param {number[]} one
 * @param {number[]} other
 * @returns {boolean}
 */
export function same(one, other) {
  return one.length === other.length && one.every((side, i) => side === other[i]);
}
