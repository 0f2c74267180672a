/** One model of the page: its pictures, its name and distance below, the walk's film strip under a picture alone. */

import { Drawer } from "./drawer.js";
import { reason } from "./errors.js";
import { fetched } from "./fetched.js";
import { Grid } from "./grid.js";
import { PIXELS } from "./sheet.js";
import { FRAMES, SHARES, Strip } from "./strip.js";
import { part } from "./widgets.js";

/** @typedef {import("./drawer.js").Drawn} Drawn */
/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./engine.js").LiveModel} LiveModel */
/** @typedef {import("./request.js").Request} Request */

/**
 * A model's name and the addresses of its files; where their `bytes` together are given, loading shows its progress.
 * `distance` is its Frechet distance. The `student` draws in one step what the model draws in many, and stands in for it
 * while a hand moves and until the model's own pictures are drawn.
 * @typedef {{name: string, program: string, weights: string, bytes?: number, distance?: string, student?: Source}} Source
 */

/**
 * What the hand asks of every model; each takes what it knows.
 * @typedef {object} Hand
 * @property {number} seed
 * @property {number} toward
 * @property {number} share
 * @property {number} temperature
 * @property {number[]} moves
 * @property {number[] | null} mixture
 * @property {number | null} steps
 * @property {number | null} guidance
 * @property {number | null} taken
 * @property {number} count
 * @property {number | null} alone the picture that is shown by itself
 */

/**
 * What a pane tells the page.
 * @typedef {object} Page
 * @property {(pane: Pane) => void} ready
 * @property {(pane: Pane, drawn: Drawn) => void} shown
 * @property {(picture: number) => void} chose
 * @property {(frame: number) => void} went
 */

export class Pane {
  /**
   * @param {HTMLElement} root
   * @param {Promise<Engine>} engine
   * @param {Page} page
   */
  constructor(root, engine, page) {
    this.engine = engine;
    this.page = page;
    /** @type {Source | null} */
    this.source = null;
    /** @type {LiveModel | null} */
    this.model = null;
    /** @type {LiveModel | null} */
    this.student = null;
    this.lack = ""; // why its student cannot be had
    this.fetching = new AbortController();
    this.coming = Promise.resolve(); // until its model is there, or has failed
    this.failed = (/** @type {unknown} */ error) => this.say(reason(error), true);
    this.drawer = new Drawer((drawn) => this.show(drawn), this.failed);
    this.stripDrawer = new Drawer(({ pictures, from }) => this.strip.grid.draw(pictures, from), this.failed);
    this.element = part("pane", root);
    this.grid = new Grid(part("pictures", this.element));
    this.grid.canvas.tabIndex = 0;
    this.grid.canvas.onclick = (event) => page.chose(this.grid.at(event));
    this.grid.canvas.onkeydown = (event) => { // whose answer is none: false would swallow Tab
      if (event.key === "Enter") page.chose(0);
    };
    this.strip = new Strip(this.element, page.went);
    this.caption = part("caption", this.element);
    this.note = part("note", this.element);
    this.note.setAttribute("role", "status");
    this.alone = false;
    this.stood = false; // whether its student's pictures are there before its own
    this.whole = false; // whether its own are all there
  }

  /**
   * Fetch a model, in place of the one before; whatever fails is one line.
   * @param {Source} source
   */
  async take(source) {
    this.letGo();
    this.source = source;
    this.caption.replaceChildren();
    this.say(`Loading ${source.name}`);
    try {
      this.model = await this.load(source, this.progress(source.bytes));
      if (!this.model) return;
      this.say("");
      this.page.ready(this);
      if (!source.student || !this.model.program.integrate) return;
      await this.takeStudent(source.student);
    } catch (error) {
      this.failed(error);
    }
  }

  /**
   * Fetch what stands in while the model's own pictures are slow to come. Without it they are what one waits for.
   * @param {Source} source
   */
  async takeStudent(source) {
    try {
      this.student = await this.load(source);
      if (this.student && !this.whole) this.page.ready(this); // it can stand in at once
    } catch (error) {
      this.lack = `Its pictures come slowly while it moves: ${reason(error)}`;
      this.say(this.lack, true);
    }
  }

  /**
   * A model, or null where another was chosen meanwhile; an Error that names it where it cannot be had.
   * @param {Source} source
   * @param {(count: number) => void} [come]
   */
  async load({ name, program, weights }, come) {
    const { signal } = this.fetching;
    try {
      const files = Promise.all([program, weights].map((file) => fetched(file, signal, come)));
      const [engine, [text, bytes]] = await Promise.all([this.engine, files]);
      const loaded = await engine.load(new TextDecoder().decode(text), bytes);
      if (!signal.aborted) return loaded;
      loaded.free();
    } catch (error) {
      if (!signal.aborted) throw new Error(`${name}: ${reason(error)}`);
    }
    return null;
  }

  /**
   * A bar that fills as bytes come, where it is known how many there are.
   * @param {number} [bytes]
   * @returns {((count: number) => void) | undefined}
   */
  progress(bytes) {
    if (!bytes) return undefined;
    const bar = Object.assign(document.createElement("progress"), { max: bytes, value: 0 });
    bar.setAttribute("aria-label", "Loaded");
    this.note.append(`, ${(bytes / 1e6).toFixed(1)} MB `, bar);
    return (count) => (bar.value += count);
  }

  get conditional() {
    return this.has((operation) => operation.op === "classes");
  }

  /** Whether there is a way from one seed's noise to another's. */
  get walks() {
    return this.has(({ op, noise }) => op === "latent" && noise === "normal");
  }

  /**
   * @param {(operation: import("./check.js").Operation) => boolean} test
   */
  has(test) {
    return this.model?.program.operations.some(test) ?? false;
  }

  /**
   * What is asked of this model, or of its student.
   * @param {Hand} hand
   * @param {LiveModel} model
   * @returns {Request}
   */
  request(hand, model) {
    const { seed, toward, share, temperature, mixture, moves, count, alone } = hand;
    const { integrate } = model.program;
    return {
      ...{ seed, temperature },
      ...(this.walks ? { toward, share } : {}),
      ...(alone === null ? { count } : { count: 1, start: alone }),
      ...(mixture && this.conditional ? { mixture } : {}),
      ...(moves.some((move) => move) && model === this.model ? { moves } : {}),
      ...(integrate ? along(hand, integrate.steps) : {}),
    };
  }

  /**
   * @param {Hand} hand
   * @param {number} columns
   * @param {boolean} moving
   * @param {boolean} own whether only the model itself can show what moves
   */
  draw(hand, columns, moving, own) {
    if (!this.model) return;
    const { alone } = hand;
    this.alone = alone !== null;
    this.whole = false;
    const stands = !own && hand.taken === null ? this.student : null;
    const model = (moving && stands) || this.model;
    const request = this.request(hand, model);
    const before = stands && !moving ? { model: stands, request: this.request(hand, stands) } : null;
    this.stood = before !== null;
    this.drawer.ask(model, request, moving ? (this.alone ? 1 : columns) : 0, before);
    const single = this.alone || hand.count === 1;
    this.strip.element.hidden = !single || !this.walks;
    if (single && this.walks) this.drawStrip(model, hand, request, moving);
  }

  /**
   * The frames from this seed to the next, where they are others than those that are shown.
   * @param {LiveModel} model
   * @param {Hand} hand
   * @param {Request} request
   * @param {boolean} moving
   */
  drawStrip(model, hand, { count: _, share: __, ...request }, moving) {
    this.strip.show(hand.seed, hand.share);
    const key = JSON.stringify([model.number, request]);
    if (key === this.strip.drawn || (moving && !this.stripDrawer.affords(model, FRAMES))) return;
    this.strip.drawn = key;
    this.stripDrawer.ask(model, { ...request, shares: SHARES });
  }

  /**
   * @param {Drawn} drawn
   */
  show(drawn) {
    const { request, model } = drawn;
    if (model !== this.model && model !== this.student) return; // another was chosen meanwhile
    if ((request.start !== undefined) !== this.alone) return; // the next request, under way, has the other number
    this.say(this.lack, this.lack !== "");
    this.whole = drawn.last && model === this.model;
    this.page.shown(this, drawn);
  }

  /**
   * The grid's place.
   * @param {number} count
   * @param {number} columns
   */
  resize(count, columns) {
    this.grid.resize(count, columns);
  }

  /**
   * @param {string} text
   */
  describe(text) {
    const name = Object.assign(document.createElement("b"), { textContent: this.source?.name });
    const { distance } = this.source ?? {};
    this.caption.replaceChildren(name, document.createElement("br"), distance ? `distance ${distance}; ` : "", text);
  }

  /**
   * @param {string} text
   * @param {boolean} [wrong]
   */
  say(text, wrong = false) {
    if (this.note.textContent !== text) this.note.textContent = text;
    this.note.classList.toggle("wrong", wrong);
  }

  /** Let go of the model. */
  letGo() {
    this.fetching.abort();
    this.fetching = new AbortController();
    for (const drawer of [this.drawer, this.stripDrawer]) drawer.stop();
    for (const model of [this.model, this.student]) model?.free();
    this.model = this.student = this.source = null;
    this.lack = "";
    this.strip.drawn = "";
  }

  /** Let go of everything. */
  end() {
    this.letGo();
    this.element.remove();
  }
}

/**
 * How a path is followed, where that was chosen.
 * @param {Hand} hand
 * @param {number} usual the model's own steps
 * @returns {Request}
 */
function along({ steps, guidance, taken }, usual) {
  return {
    ...(steps === null ? {} : { steps }),
    ...(guidance === null ? {} : { guidance }),
    ...(taken === null ? {} : { taken: Math.min(taken, steps ?? usual) }),
  };
}

/**
 * How many pictures were drawn.
 * @param {Drawn} drawn
 */
export function drawnBy({ from, pictures }) {
  return from + pictures.length / PIXELS;
}
