/** The page's own settings in its address, so that a link opens the same pictures. */

/**
 * @typedef {object} Settings
 * @property {number} n pictures
 * @property {number} temperature
 * @property {number[]} moves along the directions, in standard deviations
 * @property {import("./wheel.js").Place | null} at the place on the wheel; null: where the class asked for is
 * @property {number} walked seeds that the walk has gone on from the seed asked for
 * @property {number | null} steps from noise to garment, of models that take several; null: the model's own, as below
 * @property {number | null} guidance
 * @property {number | null} taken steps after which the way is looked at; null: all
 */

export const COUNTS = [1, 10, 20, 40, 60, 100];
export const HOTTEST = 2;
export const FARTHEST = 3;
export const MOST_STEPS = 32;
export const STRONGEST = 6;
const LONGEST = 2 ** 32; // seeds

/**
 * Settings from an address; what it leaves out or gets wrong has its default.
 * @param {string} search
 * @param {number} usual pictures unless told otherwise
 * @returns {Settings}
 */
export function readSettings(search, usual) {
  const given = new URLSearchParams(search);
  const list = (/** @type {string} */ key) => (given.has(key) ? (given.get(key) ?? "").split(",").map(Number) : []);
  const one = (/** @type {string} */ key) => Number(given.get(key) || NaN);
  const whole = (/** @type {number} */ value) => (Number.isInteger(value) ? value : NaN);
  const n = one("n");
  const at = list("at");
  const steps = within(whole(one("nfe")), 1, MOST_STEPS, null);
  return {
    n: COUNTS.includes(n) ? n : usual,
    temperature: within(one("temperature"), 0, HOTTEST, 1),
    moves: list("moves").map((move) => within(move, -FARTHEST, FARTHEST, 0)),
    at: at.length === 2 && at.every((value) => Math.abs(value) <= 1) ? { x: at[0], y: at[1] } : null,
    walked: within(one("walk"), -LONGEST, LONGEST, 0),
    steps,
    guidance: within(one("guidance"), 0, STRONGEST, null),
    taken: within(whole(one("taken")), 0, steps ?? MOST_STEPS, null),
  };
}

/**
 * An address with settings in it, besides what others keep there. A list is a key several times, null none.
 * @param {string} address
 * @param {Record<string, string | number | string[] | null>} values
 * @returns {string}
 */
export function withSettings(address, values) {
  const url = new URL(address);
  for (const [key, value] of Object.entries(values)) {
    url.searchParams.delete(key);
    for (const each of value === null ? [] : [value].flat()) url.searchParams.append(key, String(each));
  }
  return url.href;
}

/**
 * @template T
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @param {T} otherwise
 */
function within(value, low, high, otherwise) {
  return low <= value && value <= high ? value : otherwise;
}
