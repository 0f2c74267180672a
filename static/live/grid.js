/** Pictures side by side on a canvas, pixel by pixel. */

import { SIDE } from "./check.js";
import { GAP, PIXELS } from "./sheet.js";

export class Grid {
  /**
   * @param {HTMLElement} root
   */
  constructor(root) {
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    root.append(this.canvas);
    this.pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.tile = new ImageData(SIDE, SIDE);
    this.tile.data.fill(255);
    this.columns = this.count = 0;
    this.pictures = new Uint8Array(0); // what is shown, (count x 28 x 28)
  }

  /**
   * @param {number} count
   * @param {number} columns
   */
  resize(count, columns) {
    if (count === this.count && columns === this.columns) return;
    [this.count, this.columns] = [count, columns];
    const rows = Math.ceil(count / columns);
    this.pictures = new Uint8Array(count * PIXELS);
    this.canvas.width = columns * (SIDE + GAP) - GAP;
    this.canvas.height = rows * (SIDE + GAP) - GAP;
    this.canvas.style.setProperty("--shape", String(this.canvas.width / this.canvas.height));
  }

  /**
   * @param {Uint8Array} pictures (any number x 28 x 28)
   * @param {number} [from] the place of the first
   */
  draw(pictures, from = 0) {
    const { data } = this.tile;
    const last = Math.min(this.count, from + pictures.length / PIXELS);
    this.pictures.set(pictures.subarray(0, (last - from) * PIXELS), from * PIXELS);
    for (let i = from; i < last; i++) {
      for (let p = 0; p < PIXELS; p++) data.fill(this.pictures[i * PIXELS + p], 4 * p, 4 * p + 3);
      const [column, row] = [i % this.columns, Math.floor(i / this.columns)];
      this.pen.putImageData(this.tile, column * (SIDE + GAP), row * (SIDE + GAP));
    }
  }

  /**
   * The number of the picture at a point of the screen.
   * @param {MouseEvent} event
   * @returns {number}
   */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * Math.ceil(this.count / this.columns));
    return Math.max(0, Math.min(this.count - 1, row * this.columns + Math.min(column, this.columns - 1)));
  }
}
