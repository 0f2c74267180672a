/** The walk's film strip: frames on the way from one seed to the next, each of them a place to go to. */

import { Grid } from "./grid.js";
import { button } from "./widgets.js";

export const FRAMES = 8;
/** The share of the way that is gone at each frame; the last is one before the next seed's own. */
export const SHARES = Array.from({ length: FRAMES }, (_, i) => i / FRAMES);

const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -FRAMES, PageUp: FRAMES };

export class Strip {
  /**
   * @param {HTMLElement} root
   * @param {(frame: number) => void} went called with the frame to go to, counted from this seed's own; before it and
   * beyond the last lie the neighbouring seeds' frames
   */
  constructor(root, went) {
    this.went = went;
    this.frame = 0;
    this.drawn = ""; // what is shown, to tell whether it must be drawn anew
    this.element = document.createElement("div");
    this.element.className = "strip";
    this.element.hidden = true; // until there is a picture alone
    this.film = document.createElement("div");
    this.film.className = "film";
    this.film.tabIndex = 0;
    this.film.setAttribute("role", "slider");
    this.film.setAttribute("aria-label", "The walk, frame by frame; arrow keys move along it");
    this.film.setAttribute("aria-valuemin", "0");
    this.film.setAttribute("aria-valuemax", String(FRAMES - 1));
    this.grid = new Grid(this.film);
    this.grid.resize(FRAMES, FRAMES);
    this.mark = document.createElement("div");
    this.mark.className = "mark";
    this.film.append(this.mark);
    this.element.append(
      this.neighbour("‹", "To the seed before", -FRAMES),
      this.film,
      this.neighbour("›", "To the next seed", FRAMES),
    );
    root.append(this.element);
    this.listen();
  }

  /**
   * Mark where the walk is.
   * @param {number} seed
   * @param {number} share of the way to the next
   */
  show(seed, share) {
    this.frame = Math.floor(share * FRAMES);
    this.mark.style.left = `${(100 * Math.min(share * FRAMES, FRAMES - 1)) / FRAMES}%`;
    this.film.setAttribute("aria-valuenow", String(this.frame));
    this.film.setAttribute("aria-valuetext", `seed ${seed}, ${this.frame} of ${FRAMES} frames on the way to the next`);
  }

  /**
   * @param {string} sign
   * @param {string} name
   * @param {number} frame
   */
  neighbour(sign, name, frame) {
    const made = button(sign, name, () => this.went(frame));
    made.setAttribute("aria-label", name);
    return made;
  }

  listen() {
    const { film } = this;
    const follow = (/** @type {PointerEvent} */ event) => {
      const frame = this.grid.at(event);
      if (frame !== this.frame) this.went(frame);
    };
    film.onpointerdown = (event) => {
      film.setPointerCapture(event.pointerId);
      this.went(this.grid.at(event));
    };
    film.onpointermove = (event) => {
      if (film.hasPointerCapture(event.pointerId)) follow(event);
    };
    film.onkeydown = (event) => {
      const ends = { Home: 0, End: FRAMES - 1 };
      const step = KEYS[/** @type {keyof KEYS} */ (event.key)];
      const to = step === undefined ? ends[/** @type {keyof ends} */ (event.key)] : this.frame + step;
      if (to === undefined) return;
      event.preventDefault();
      this.went(to);
    };
  }
}
