/** Pictures put together to one, in grey levels. */

import { SIDE } from "./check.js";

/** @typedef {{width: number, height: number, levels: Uint8Array}} Sheet (height x width) */

export const GAP = 1; // pixels between two pictures
const BETWEEN = 8; // and between two models' pictures
export const PIXELS = SIDE * SIDE;
const WHITE = 255;

/**
 * Pictures in rows.
 * @param {Uint8Array} pictures (count x 28 x 28)
 * @param {number} columns
 * @returns {Sheet}
 */
export function sheetOf(pictures, columns) {
  const count = pictures.length / PIXELS;
  const sheet = blank(columns * (SIDE + GAP) - GAP, Math.ceil(count / columns) * (SIDE + GAP) - GAP);
  for (let i = 0; i < count; i++) {
    const picture = { width: SIDE, height: SIDE, levels: pictures.subarray(i * PIXELS, (i + 1) * PIXELS) };
    paste(sheet, picture, (i % columns) * (SIDE + GAP), Math.floor(i / columns) * (SIDE + GAP));
  }
  return sheet;
}

/**
 * @param {Sheet[]} sheets
 * @returns {Sheet}
 */
export function sideBySide(sheets) {
  const width = sheets.reduce((sum, sheet) => sum + sheet.width + BETWEEN, -BETWEEN);
  const whole = blank(width, Math.max(...sheets.map(({ height }) => height)));
  let x = 0;
  for (const sheet of sheets) {
    paste(whole, sheet, x, 0);
    x += sheet.width + BETWEEN;
  }
  return whole;
}

/**
 * Every pixel a square.
 * @param {Sheet} sheet
 * @param {number} side
 * @returns {Sheet}
 */
export function enlarged({ width, height, levels }, side) {
  const large = blank(width * side, height * side);
  for (let y = 0, to = 0; y < large.height; y++) {
    const row = Math.floor(y / side) * width;
    for (let x = 0; x < width; x++, to += side) large.levels.fill(levels[row + x], to, to + side);
  }
  return large;
}

/**
 * @param {number} width
 * @param {number} height
 * @returns {Sheet}
 */
function blank(width, height) {
  return { width, height, levels: new Uint8Array(width * height).fill(WHITE) };
}

/**
 * @param {Sheet} sheet
 * @param {Sheet} picture
 * @param {number} x
 * @param {number} y
 */
function paste(sheet, { width, height, levels }, x, y) {
  for (let row = 0; row < height; row++) {
    sheet.levels.set(levels.subarray(row * width, (row + 1) * width), (y + row) * sheet.width + x);
  }
}
