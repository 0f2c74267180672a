/** Pictures side by side on a canvas, pixel by pixel. */

import { SIDE } from "./check.js";

const GAP = 1; // pixels between two pictures
const SAVED = 8; // a saved pixel's side

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
  }

  /**
   * @param {number} count
   * @param {number} columns
   */
  resize(count, columns) {
    if (count === this.count && columns === this.columns) return;
    [this.count, this.columns] = [count, columns];
    const rows = Math.ceil(count / columns);
    this.canvas.width = columns * (SIDE + GAP) - GAP;
    this.canvas.height = rows * (SIDE + GAP) - GAP;
    this.canvas.style.setProperty("--shape", String(this.canvas.width / this.canvas.height));
  }

  /**
   * @param {Uint8Array} pictures the first of the grid's, (any number x 28 x 28)
   */
  draw(pictures) {
    const { data } = this.tile;
    for (let i = 0; i * SIDE * SIDE < pictures.length; i++) {
      for (let p = 0; p < SIDE * SIDE; p++) data.fill(pictures[i * SIDE * SIDE + p], 4 * p, 4 * p + 3);
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
    return Math.min(this.count - 1, row * this.columns + column);
  }

  /**
   * The grid as a PNG, enlarged without blur.
   * @returns {Promise<Blob | null>}
   */
  png() {
    const large = document.createElement("canvas");
    large.width = SAVED * this.canvas.width;
    large.height = SAVED * this.canvas.height;
    const pen = /** @type {CanvasRenderingContext2D} */ (large.getContext("2d"));
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.canvas, 0, 0, large.width, large.height);
    return new Promise((done) => large.toBlob(done, "image/png"));
  }
}
