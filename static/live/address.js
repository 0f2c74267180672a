/** The page's own settings in its address, so that a link opens the same pictures. */

/**
 * @typedef {object} Settings
 * @property {number} n pictures
 * @property {number} temperature
 * @property {number[]} moves along the directions, in standard deviations
 * @property {import("./wheel.js").Place | null} at the place on the wheel; null: where the class asked for is
 */

export const COUNTS = [1, 10, 20, 40, 60, 100];
export const HOTTEST = 2;
export const FARTHEST = 3;

/**
 * Settings from an address; what it leaves out or gets wrong has its default.
 * @param {string} search
 * @param {number} usual pictures unless told otherwise
 * @returns {Settings}
 */
export function readSettings(search, usual) {
  const given = new URLSearchParams(search);
  const list = (/** @type {string} */ key) => (given.get(key) ?? "").split(",").map(Number);
  const n = Number(given.get("n"));
  const at = given.has("at") ? list("at") : [];
  const moves = given.has("moves") ? list("moves") : [];
  return {
    n: COUNTS.includes(n) ? n : usual,
    temperature: within(given.has("temperature") ? Number(given.get("temperature")) : 1, 0, HOTTEST, 1),
    moves: moves.map((move) => within(move, -FARTHEST, FARTHEST, 0)),
    at: at.length === 2 && at.every((value) => Math.abs(value) <= 1) ? { x: at[0], y: at[1] } : null,
  };
}

/**
 * An address with settings in it, besides what others keep there.
 * @param {string} address
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
export function withSettings(address, values) {
  const url = new URL(address);
  for (const [key, value] of Object.entries(values)) url.searchParams.set(key, String(value));
  return url.href;
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @param {number} otherwise
 */
function within(value, low, high, otherwise) {
  return low <= value && value <= high ? value : otherwise;
}
