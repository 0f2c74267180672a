/** The class wheel: ten classes on a rim, and a point to drag whose place mixes them. */

import { CLASSES } from "./rules.js";

export const NAMES = [
  ...["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"],
  ...["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
];
const RIM = [0, 6, 2, 4, 3, 1, 8, 5, 7, 9]; // neighbours look alike: tops, then Bag, then shoes
const REACH = 0.68; // of the wheel's radius, where the classes' points are
const NUDGE = 4; // pixels: a pointer that has gone farther drags
const STILL = 0.12; // so near to the centre, it is every class in turn

/** @typedef {{x: number, y: number}} Place within the unit circle, y down; the centre is every class in turn */

/**
 * Shares of the ten classes at a place: between two neighbours of the rim, and the more of all, the nearer the centre.
 * None at the centre itself, where every class has its turn.
 * @param {Place} place
 * @returns {number[] | null}
 */
export function mixtureAt({ x, y }) {
  const radius = Math.min(1, Math.hypot(x, y));
  if (radius < STILL) return null;
  const turn = ((Math.atan2(x, -y) / (2 * Math.PI) + 1) % 1) * CLASSES;
  const first = Math.floor(turn) % CLASSES;
  const shares = Array(CLASSES).fill((1 - radius) / CLASSES);
  shares[RIM[first]] += radius * (1 - (turn - Math.floor(turn)));
  shares[RIM[(first + 1) % CLASSES]] += radius * (turn - Math.floor(turn));
  return shares;
}

/**
 * The place of a class on the rim.
 * @param {number} label
 * @returns {Place}
 */
export function placeOf(label) {
  const angle = (RIM.indexOf(label) / CLASSES) * 2 * Math.PI;
  return { x: Math.sin(angle), y: -Math.cos(angle) };
}

/**
 * A mixture in words: its two largest shares.
 * @param {ArrayLike<number> | null} shares
 * @returns {string}
 */
export function inWords(shares) {
  if (!shares) return "every class in turn";
  const order = Array.from(shares, (_, i) => i).sort((a, b) => shares[b] - shares[a]);
  const said = order.slice(0, 2).filter((i) => shares[i] >= 0.1);
  return said.length === 0
    ? "all classes mixed"
    : said.map((i) => `${NAMES[i]} ${Math.round(100 * shares[i])} %`).join(", ");
}

export class Wheel {
  /**
   * @param {HTMLElement} root
   * @param {(moving: boolean) => void} moved called with true while the point is dragged, with false when it rests
   */
  constructor(root, moved) {
    this.moved = moved;
    /** @type {Place} */
    this.place = { x: 0, y: 0 };
    this.element = document.createElement("div");
    this.element.className = "wheel";
    this.element.append(...NAMES.map((_, label) => this.button(label)), this.middle());
    this.point = document.createElement("div");
    this.point.className = "point";
    this.point.tabIndex = 0;
    this.point.setAttribute("role", "slider");
    this.point.setAttribute("aria-label", "Mixture of classes; arrow keys move it");
    this.point.setAttribute("aria-valuemin", "0");
    this.point.setAttribute("aria-valuemax", "100");
    this.element.append(this.point);
    root.append(this.element);
    this.listen();
    this.show();
  }

  /** @returns {number[] | null} */
  get mixture() {
    return mixtureAt(this.place);
  }

  /**
   * @param {number} label
   */
  button(label) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = NAMES[label].replace("/top", "");
    button.setAttribute("aria-label", `Only ${NAMES[label]}`);
    const { x, y } = placeOf(label);
    button.style.left = `${50 + 50 * 0.9 * x}%`;
    button.style.top = `${50 + 50 * 0.9 * y}%`;
    button.onclick = () => this.go(placeOf(label));
    return button;
  }

  middle() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "middle";
    button.textContent = "all";
    button.setAttribute("aria-label", "Every class in turn");
    button.onclick = () => this.go({ x: 0, y: 0 });
    return button;
  }

  /**
   * Put the point somewhere, at rest.
   * @param {Place} place
   */
  go(place) {
    this.set(place);
    this.moved(false);
  }

  /**
   * @param {Place} place
   */
  set({ x, y }) {
    const radius = Math.max(1, Math.hypot(x, y));
    this.place = { x: x / radius, y: y / radius };
    this.show();
  }

  show() {
    const { x, y } = this.place;
    this.point.style.left = `${50 + 50 * REACH * x}%`;
    this.point.style.top = `${50 + 50 * REACH * y}%`;
    const { mixture } = this;
    this.point.setAttribute("aria-valuenow", String(Math.round(100 * Math.max(...(mixture ?? [0])))));
    this.point.setAttribute("aria-valuetext", inWords(mixture));
  }

  listen() {
    const { element } = this;
    /** @type {{x: number, y: number, dragged: boolean, from: Place} | null} where it was pressed, and what was before */
    let held = null;
    const follow = (/** @type {PointerEvent} */ event) => {
      const box = element.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width - 0.5;
      const y = (event.clientY - box.top) / box.height - 0.5;
      this.set({ x: (2 * x) / REACH, y: (2 * y) / REACH });
      this.moved(true);
    };
    element.onpointerdown = (event) => {
      const named = event.target instanceof HTMLButtonElement; // a press of a name is a choice, a drag from it a drag
      if (!event.isPrimary) return; // a second finger
      held = { x: event.clientX, y: event.clientY, dragged: !named, from: this.place };
      if (!named) follow(event);
    };
    element.onpointermove = (event) => {
      if (!held || !event.isPrimary) return;
      held.dragged ||= Math.hypot(event.clientX - held.x, event.clientY - held.y) > NUDGE;
      if (!held.dragged) return;
      element.setPointerCapture(event.pointerId); // from now on, beyond the wheel too
      follow(event);
    };
    element.onpointerup = (event) => {
      if (!event.isPrimary) return;
      if (held?.dragged) this.moved(false);
      held = null;
    };
    element.onpointercancel = (event) => {
      if (!event.isPrimary) return;
      if (held?.dragged) this.go(held.from); // two fingers zoom the page: nothing was chosen
      held = null;
    };
    this.point.onkeydown = (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      this.go({ x: this.place.x + step[0] / 20, y: this.place.y + step[1] / 20 });
    };
  }
}
