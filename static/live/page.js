/**
 * The live page: one grid under the hand. It needs an element and where a model lies, and nothing of a server.
 *
 *     const page = mount(element, { model: { name, program, weights }, seed: 0, label: null });
 *     page.update({ ...another model, seed or class });
 *     page.end();
 */

import { COUNTS, FARTHEST, HOTTEST, readSettings, withSettings } from "./address.js";
import { Drawer } from "./drawer.js";
import { createEngine } from "./engine.js";
import { reason } from "./errors.js";
import { fetched } from "./fetched.js";
import { Grid } from "./grid.js";
import { Wheel, inWords, placeOf } from "./wheel.js";
import { button, choice, save, slider } from "./widgets.js";

/**
 * A model's name and the addresses of its files; where their `bytes` together are given, loading shows its progress.
 * @typedef {{name: string, program: string, weights: string, bytes?: number}} Source
 */
/** @typedef {{model: Source, seed: number, label: number | null}} Given */

const PACE = 4000; // milliseconds of the walk from one seed to the next
const NARROW = 600; // pixels of the page, under which fewer pictures lie side by side

export class Page {
  /**
   * @param {HTMLElement} root
   * @param {Given} given
   */
  constructor(root, given) {
    this.root = root;
    this.given = given;
    this.narrow = root.clientWidth < NARROW;
    this.settings = readSettings(location.search, this.narrow ? 20 : 40);
    /** @type {number | null} the picture that is shown alone */
    this.alone = null;
    this.walk = { on: false, share: 0, seed: given.seed };
    /** @type {import("./engine.js").LiveModel | undefined} */
    this.loaded = undefined;
    this.drawer = new Drawer(this.show.bind(this), (error) => this.say(reason(error), true));
    this.engine = createEngine();
    this.fetching = new AbortController();
    /** @type {string[]} what makes it slower here */
    this.notices = [];
    this.conditional = false;
    const pictures = part("pictures", root);
    this.grid = new Grid(pictures);
    this.grid.canvas.onclick = (event) => this.choose(event);
    this.status = part("status", pictures);
    this.status.setAttribute("role", "status");
    const panel = part("panel", root);
    this.wheelPart = part("wheel-part", panel);
    this.wheel = new Wheel(this.wheelPart, (moving) => this.turned(moving));
    this.actions = part("actions", panel);
    this.sliders = part("sliders", root);
    this.walking = button("Walk", "Wander from seed to seed without an end", () => this.setWalk(!this.walk.on));
    this.offerActions();
    this.load();
  }

  /** Buttons and the number of pictures. */
  offerActions() {
    this.walking.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.actions.append(
      choice("Pictures", COUNTS, this.settings.n, (n) => this.changed({ n })),
      this.walking,
      button("Save PNG", "The grid as a picture, enlarged", async () =>
        save(await this.grid.png(), `${this.given.model.name.replace("/", "-")}-live.png`),
      ),
      button("Copy link", "An address that opens these very pictures", () => this.copyLink()),
    );
  }

  /** Fetch the model and draw; whatever fails is one line. */
  async load() {
    const { model } = this.given;
    this.fetching.abort(); // of the model chosen before
    this.fetching = new AbortController();
    const { signal } = this.fetching;
    this.drawer.model = null;
    this.say(`Loading ${model.name}`);
    const come = this.progress(model.bytes);
    try {
      const files = Promise.all([model.program, model.weights].map((file) => fetched(file, signal, come)));
      const [engine, [program, weights]] = await Promise.all([this.engine, files]);
      const loaded = await engine.load(new TextDecoder().decode(program), weights);
      if (this.given.model !== model || !this.root.isConnected) return loaded.free();
      this.loaded?.free();
      this.loaded = loaded;
      this.drawer.model = loaded;
      this.drawer.each = 0;
      this.notices = engine.notices;
      this.offer();
      this.place();
      this.draw();
    } catch (error) {
      if (this.given.model === model) this.say(reason(error), true);
    }
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
    this.status.append(`, ${(bytes / 1e6).toFixed(1)} MB `, bar);
    return (count) => (bar.value += count);
  }

  /** Show the controls that the model has. */
  offer() {
    if (!this.loaded) return;
    const { operations, directions = [] } = this.loaded.program;
    this.conditional = operations.some(({ op }) => op === "classes");
    this.wheelPart.hidden = !this.conditional;
    this.walking.disabled = !operations.some(({ op, noise }) => op === "latent" && noise === "normal");
    this.settings.moves = this.settings.moves.slice(0, directions.length); // a link may be of a model that has more
    const { temperature, moves } = this.settings;
    const heat = slider("Temperature", { min: 0, max: HOTTEST, step: 0.05, value: temperature }, (value, moving) =>
      this.changed({ temperature: value }, moving),
    );
    const range = { min: -FARTHEST, max: FARTHEST, step: 0.1 };
    const along = directions.map(({ name }, i) =>
      slider(name, { ...range, value: moves[i] ?? 0 }, (value, moving) => {
        const next = directions.map((_, k) => (k === i ? value : (this.settings.moves[k] ?? 0)));
        this.changed({ moves: next }, moving);
      }),
    );
    const back = button("Reset", "Temperature 1, no direction", () => {
      for (const each of along) each.set(0);
      heat.set(1);
      this.changed({ temperature: 1, moves: [] });
    });
    this.sliders.replaceChildren(heat.row, ...along.map(({ row }) => row), back);
  }

  /** Put the wheel where the settings or the class asked for have it. */
  place() {
    const { label } = this.given;
    this.wheel.set(this.settings.at ?? (label === null ? { x: 0, y: 0 } : placeOf(label)));
  }

  /**
   * Another model, seed or class from outside.
   * @param {Given} given
   */
  update(given) {
    const before = this.given;
    this.given = given;
    if (given.seed !== before.seed) Object.assign(this.walk, { seed: given.seed, share: 0 });
    if (given.label !== before.label) this.settings.at = null;
    if (given.model.weights !== before.model.weights) {
      this.settings.moves = [];
      this.load();
    } else {
      this.given.model = before.model;
      this.place();
      this.draw();
    }
  }

  /**
   * @param {Partial<import("./address.js").Settings>} settings
   * @param {boolean} [moving] while a control is held
   */
  changed(settings, moving = false) {
    Object.assign(this.settings, settings);
    if ("n" in settings) this.alone = null;
    this.draw(moving);
    if (!moving) this.keep();
  }

  /**
   * @param {boolean} moving
   */
  turned(moving) {
    this.changed({ at: this.wheel.place }, moving);
  }

  /** What to draw now. */
  get request() {
    const { n, temperature, moves } = this.settings;
    const { seed, share } = this.walk;
    const mixture = this.conditional ? this.wheel.mixture : null;
    return {
      ...{ seed, toward: (seed + 1) % 2 ** 32, share, temperature },
      ...(this.alone === null ? { count: n } : { count: 1, start: this.alone }),
      ...(mixture ? { mixture } : {}),
      ...(moves.some((move) => move) ? { moves } : {}),
    };
  }

  /**
   * @param {boolean} [moving]
   */
  draw(moving = false) {
    this.drawer.ask(this.request, moving || this.walk.on ? this.columns : 0);
  }

  get columns() {
    const most = this.narrow ? 5 : 10;
    return this.alone === null ? Math.min(this.settings.n, most) : 1;
  }

  /**
   * @param {Uint8Array} pictures
   * @param {import("./request.js").Request} request
   * @param {number} took
   */
  show(pictures, request, took) {
    const alone = request.start !== undefined;
    if (alone !== (this.alone !== null)) return; // the next request, under way, has the other number of pictures
    this.grid.resize(alone ? 1 : this.settings.n, this.columns);
    this.grid.draw(pictures);
    const told = this.conditional ? `, ${inWords(request.mixture ?? null)}` : "";
    const which = alone ? `picture ${Number(request.start) + 1}` : `${request.count} pictures`;
    const text = `${which} by ${this.given.model.name}${told}, seed ${request.seed}`;
    this.grid.canvas.setAttribute("aria-label", text);
    const slow = this.notices.length ? ` ${this.notices.join("; ")}.` : "";
    const hint = !alone ? "Click a picture to see it alone." : "Click it to see all.";
    this.say(`${text}; drawn in ${took < 10 ? took.toFixed(1) : Math.round(took)} ms here in your browser. ${hint}${slow}`);
  }

  /**
   * @param {string} text
   * @param {boolean} [wrong]
   */
  say(text, wrong = false) {
    this.status.textContent = text;
    this.status.classList.toggle("wrong", wrong);
  }

  /**
   * @param {MouseEvent} event
   */
  choose(event) {
    if (this.settings.n === 1) return;
    this.alone = this.alone === null ? this.grid.at(event) : null;
    this.draw();
  }

  /**
   * @param {boolean} on
   */
  setWalk(on) {
    this.walk.on = on;
    this.walking.textContent = on ? "Stop" : "Walk";
    this.walking.setAttribute("aria-pressed", String(on));
    if (!on) return this.draw();
    let before = performance.now();
    const step = (/** @type {number} */ now) => {
      if (!this.walk.on || !this.root.isConnected) return;
      this.walk.share += (now - before) / PACE;
      before = now;
      if (this.walk.share >= 1) Object.assign(this.walk, { share: 0, seed: (this.walk.seed + 1) % 2 ** 32 });
      this.draw();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Keep the settings in the page's address. */
  keep() {
    history.replaceState(history.state, "", withSettings(location.href, this.values));
  }

  get values() {
    const { n, temperature, moves, at } = this.settings;
    const round = (/** @type {number} */ value) => Math.round(1000 * value) / 1000;
    return {
      ...{ n, temperature },
      ...(moves.length ? { moves: moves.join(",") } : {}),
      ...(at && this.conditional ? { at: `${round(at.x)},${round(at.y)}` } : {}),
    };
  }

  async copyLink() {
    const { name } = this.given.model;
    const link = withSettings(location.href, { model: name, seed: this.walk.seed, ...this.values });
    try {
      await navigator.clipboard.writeText(link);
      this.say("The link is copied.");
    } catch {
      this.say(link); // a page without https may not write to the clipboard
    }
  }

  /** Let go of everything. */
  async end() {
    this.walk.on = false;
    this.drawer.model = null;
    this.fetching.abort();
    (await this.engine).close();
  }
}

/**
 * @param {HTMLElement} root
 * @param {Given} given
 * @returns {Page}
 */
export function mount(root, given) {
  return new Page(root, given);
}

/**
 * @param {string} name
 * @param {HTMLElement} root
 * @returns {HTMLElement}
 */
function part(name, root) {
  const made = document.createElement("div");
  made.className = name;
  root.append(made);
  return made;
}
