/**
 * The live page: what models draw, side by side under one hand. It needs an element and where they lie, and no server.
 *
 *     const page = mount(element, { models: [{ name, program, weights }], seed: 0, label: null });
 *     page.update({ ...other models, another seed or class });
 *     page.end();
 */

import { COUNTS, FARTHEST, HOTTEST, MOST_STEPS, STRONGEST, readSettings, withSettings } from "./address.js";
import { createEngine } from "./engine.js";
import { Pane, drawnBy } from "./pane.js";
import { Saving } from "./saving.js";
import { FRAMES } from "./strip.js";
import { Wheel, inWords, placeOf } from "./wheel.js";
import { button, choice, part, slider } from "./widgets.js";

/** @typedef {import("./address.js").Settings} Settings */
/** @typedef {import("./pane.js").Source} Source */
/** @typedef {{models: Source[], seed: number, label: number | null}} Given no model twice */

export const MOST_MODELS = 4;
const PACE = 4000; // milliseconds of the walk from one seed to the next
const NARROW = 600; // pixels of the page, under which fewer pictures lie side by side
const ABREAST = 5; // pictures in a row where there is little room
const OF_A_PATH = ["steps", "guidance", "taken"];

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
    this.wandering = false;
    /** @type {string[]} what makes it slower here */
    this.notices = [];
    this.engine = createEngine();
    const shown = part("shown", root);
    this.panesPart = part("panes", shown);
    this.status = part("status", shown);
    this.status.setAttribute("role", "status");
    this.panel = part("panel", root);
    this.wheelPart = part("wheel-part", this.panel);
    /** @type {Wheel} */
    this.wheel = new Wheel(this.wheelPart, (moving) => this.changed({ at: this.wheel.place }, moving));
    this.actions = part("actions", this.panel);
    this.sliders = part("sliders", root);
    this.offered = ""; // the sliders that are there
    this.walking = button("Walk", "Wander from seed to seed without end", () => this.wander(!this.wandering));
    this.all = button("All pictures", "Show the whole grid again", () => this.choose(0));
    this.saving = new Saving(this);
    this.offerActions();
    this.engine.then(({ notices }) => (this.notices = notices));
    /** @type {Pane[]} */
    this.panes = [];
    this.place();
    this.seat();
  }

  /** Buttons and the number of pictures. */
  offerActions() {
    this.walking.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.actions.append(
      choice("Pictures", COUNTS, this.settings.n, (n) => this.changed({ n })),
      this.all,
      this.walking,
      this.saving.element,
      button("Copy link", "A link that opens the same pictures", () => this.copyLink()),
    );
  }

  /** Give every model a pane; one that has one keeps it, the others take the panes of those that are gone. */
  seat() {
    const { models } = this.given;
    const free = this.panes.filter(({ source }) => !models.some(({ weights }) => weights === source?.weights));
    const before = this.panes;
    this.panes = models.map((source) => {
      const own = before.find((pane) => pane.source?.weights === source.weights);
      const pane = own ?? free.shift() ?? this.pane();
      if (!own) pane.coming = pane.take(source);
      return pane;
    });
    for (const pane of free) pane.end();
    this.panesPart.append(...this.panes.map(({ element }) => element)); // in their order
    const abreast = this.narrow ? Math.min(2, this.panes.length) : this.panes.length;
    this.panesPart.style.setProperty("--abreast", String(abreast));
    this.panesPart.classList.toggle("several", this.panes.length > 1);
    for (const pane of this.panes) pane.resize(this.count, this.columns); // its place is kept while the model comes
    this.offer();
  }

  pane() {
    return new Pane(this.panesPart, this.engine, {
      ready: (pane) => (this.offer(), this.draw(), pane),
      shown: (pane, drawn) => this.shown(pane, drawn),
      chose: (picture) => this.choose(picture),
      went: (frame) => this.go(frame),
    });
  }

  /** Show the controls that the models have. */
  offer() {
    const { temperature } = this.settings;
    this.wheelPart.hidden = !this.panes.some(({ conditional }) => conditional);
    const walks = this.panes.some((pane) => pane.walks);
    this.walking.disabled = !walks;
    this.saving.offer(walks);
    const directions = this.directions;
    if (this.panes.length === 1 && this.panes[0].model)
      this.settings.moves = this.settings.moves.slice(0, directions.length); // a link may have more
    const path = this.panes.find(({ model }) => model?.program.integrate)?.model?.program.integrate;
    const offered = JSON.stringify([directions.map(({ name }) => name), path]);
    if (offered === this.offered || !this.panes.some(({ model }) => model)) return;
    this.offered = offered;
    const heat = slider("Temperature", { min: 0, max: HOTTEST, step: 0.05, value: temperature }, (value, moving) =>
      this.changed({ temperature: value }, moving),
    );
    const [moves, stay] = this.moving(directions);
    const [steps, usual] = path ? this.following(path) : [[], () => {}];
    const back = button("Reset", "Put the sliders back where they were at first", () => {
      stay();
      usual();
      heat.set(1);
      this.changed({ temperature: 1, moves: [], steps: null, guidance: null, taken: null });
    });
    this.sliders.replaceChildren(heat.row, ...steps, ...moves, back);
  }

  /** The directions of the one model that is there; several have none in common. */
  get directions() {
    return (this.panes.length === 1 && this.panes[0].model?.program.directions) || [];
  }

  /**
   * A slider for every direction, and how to bring them back.
   * @param {{name: string}[]} directions
   * @returns {[HTMLElement[], () => void]}
   */
  moving(directions) {
    const { settings } = this;
    const range = { min: -FARTHEST, max: FARTHEST, step: 0.1 };
    const made = directions.map(({ name }, i) =>
      slider(name, { ...range, value: settings.moves[i] ?? 0 }, (value, moving) => {
        const next = directions.map((_, k) => (k === i ? value : (settings.moves[k] ?? 0)));
        this.changed({ moves: next }, moving);
      }),
    );
    return [made.map(({ row }) => row), () => made.forEach(({ set }) => set(0))];
  }

  /**
   * Sliders for a path from noise to garment, and how to bring them back.
   * @param {{steps: number, guidance: number}} path the model's own
   * @returns {[HTMLElement[], () => void]}
   */
  following(path) {
    const { settings } = this;
    const all = () => settings.steps ?? path.steps;
    const whole = () => taken.set(Math.min(settings.taken ?? all(), all()), all());
    const steps = slider("Steps", { min: 1, max: MOST_STEPS, step: 1, value: all() }, (value, moving) => {
      settings.steps = value;
      whole();
      this.changed({ steps: value }, moving);
    });
    const range = { min: 0, max: STRONGEST, step: 0.1 };
    const pull = slider("Guidance", { ...range, value: settings.guidance ?? path.guidance }, (value, moving) =>
      this.changed({ guidance: value }, moving),
    );
    const way = { min: 0, max: all(), step: 1, value: Math.min(settings.taken ?? all(), all()) };
    const taken = slider(
      "Noise to garment",
      way,
      (value, moving) => this.changed({ taken: value === all() ? null : value }, moving),
      (value) => `step ${value} of ${all()}`,
    );
    const back = () => {
      steps.set(path.steps);
      pull.set(path.guidance);
      taken.set(path.steps, path.steps);
    };
    return [[taken.row, steps.row, pull.row], back];
  }

  /** Put the wheel where the settings or the class asked for have it. */
  place() {
    const { label } = this.given;
    this.wheel.set(this.settings.at ?? (label === null ? { x: 0, y: 0 } : placeOf(label)));
  }

  /**
   * Other models, another seed or class from outside.
   * @param {Given} given
   */
  update(given) {
    const before = this.given;
    this.given = given;
    if (given.seed !== before.seed) this.settings.walked = 0;
    if (given.label !== before.label) this.settings.at = null;
    if (given.models[0]?.weights !== before.models[0]?.weights) this.settings.moves = [];
    this.place();
    this.seat();
    this.draw();
  }

  /**
   * @param {Partial<Settings>} settings
   * @param {boolean} [moving] while a control is held
   */
  changed(settings, moving = false) {
    Object.assign(this.settings, settings);
    if ("n" in settings) this.alone = null;
    this.draw(moving, OF_A_PATH.some((key) => key in settings));
    if (!moving) this.keep();
  }

  /** What every model is asked for now. */
  get hand() {
    const { n, temperature, moves, walked, steps, guidance, taken } = this.settings;
    const seed = around(this.given.seed + Math.floor(walked));
    return {
      ...{ seed, toward: around(seed + 1), share: walked - Math.floor(walked), temperature, steps, guidance, taken },
      ...{ count: n, alone: this.alone, mixture: this.wheel.mixture },
      moves: this.panes.length === 1 ? moves : [],
    };
  }

  /**
   * @param {boolean} [moving]
   * @param {boolean} [own] whether what moves belongs to a path, which only the model itself has
   */
  draw(moving = false, own = false) {
    const busy = moving || this.wandering;
    this.status.setAttribute("aria-busy", String(busy)); // not read aloud frame by frame
    this.all.hidden = this.alone === null;
    const { hand, columns } = this;
    for (const pane of this.panes) pane.draw(hand, columns, busy, own);
  }

  get count() {
    return this.alone === null ? this.settings.n : 1;
  }

  get columns() {
    const most = this.narrow || this.panes.length > 1 ? ABREAST : 2 * ABREAST;
    return Math.min(this.count, most);
  }

  /**
   * A model has drawn.
   * @param {Pane} pane
   * @param {import("./drawer.js").Drawn} drawn
   */
  shown(pane, drawn) {
    const { request, last, took, model } = drawn;
    pane.resize(this.count, this.columns);
    pane.grid.draw(drawn.pictures, drawn.from);
    const name = pane.source?.name;
    const student = pane.source?.student?.name;
    const stands = model === pane.student;
    const alone = request.start !== undefined;
    const which = alone ? `picture ${Number(request.start) + 1}` : `${drawnBy(drawn)} pictures`;
    const told = pane.conditional ? `, ${inWords(request.mixture ?? null)}` : "";
    const { steps = model.program.integrate?.steps, taken } = request;
    const midway = taken === undefined ? "" : `, ${taken} of ${steps} steps from noise`;
    const rest = `${told}, seed ${request.seed}${midway}`;
    const time = `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`;
    const place = `${student} in its place ${last ? "while it moves" : "until its own are drawn"}`;
    const others = pane.stood ? `, the others are by ${student}` : "";
    const by = stands ? `${student} in the place of ${name} while it moves` : name;
    const part = stands ? place : `${drawnBy(drawn)} of ${request.count} drawn${others}`;
    pane.grid.canvas.setAttribute("aria-label", `${which} by ${stands ? student : name}${rest}`);
    const several = this.panes.length > 1;
    const untold = several && !pane.conditional && !this.wheelPart.hidden ? "takes no class; " : "";
    pane.describe(stands ? place : `${untold}${last ? time : part}`);
    if (!several && !last) this.say(`${name}: ${part}`);
    else if (!several)
      this.say(`${which} by ${by}${rest}; drawn in ${time} here in your browser. ${stands ? "" : this.hint}`.trim());
    else if (pane === this.speaker)
      this.say(`${alone ? which : `${request.count} pictures`} by each${rest}. ${this.hint}`);
  }

  /** Whose pictures stand for all in the line below: the first that takes a class, where one does. */
  get speaker() {
    return this.panes.find(({ conditional }) => conditional) ?? this.panes.find(({ model }) => model);
  }

  get hint() {
    const slow = this.notices.length ? ` ${this.notices.join(". ")}.` : "";
    if (this.settings.n === 1) return slow;
    return `${this.alone === null ? "Click a picture to see it alone." : "Click it to see all."}${slow}`;
  }

  /**
   * @param {string} text
   */
  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /**
   * Show a picture alone, or all of them again.
   * @param {number} picture
   */
  choose(picture) {
    if (this.settings.n === 1) return;
    this.alone = this.alone === null ? picture : null;
    this.draw();
  }

  /**
   * Go to a frame of the walk, counted from the nearest seed behind.
   * @param {number} frame
   */
  go(frame) {
    this.wander(false);
    this.changed({ walked: Math.floor(this.settings.walked) + frame / FRAMES });
  }

  /**
   * @param {boolean} on
   */
  wander(on) {
    if (on === this.wandering) return;
    this.wandering = on;
    this.walking.textContent = on ? "Stop" : "Walk";
    this.walking.setAttribute("aria-pressed", String(on));
    if (!on) return this.changed({});
    let before = performance.now();
    const step = (/** @type {number} */ now) => {
      if (!this.wandering || !this.root.isConnected) return;
      this.settings.walked += (now - before) / PACE;
      before = now;
      this.draw();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Keep the settings in the page's address. */
  keep() {
    history.replaceState(history.state, "", withSettings(location.href, this.values));
  }

  /** The settings, but what is as at first. */
  get values() {
    const { n, temperature, moves, at, walked, steps, guidance, taken } = this.settings;
    const round = (/** @type {number} */ value) => Math.round(1000 * value) / 1000;
    return {
      ...{ n, temperature, nfe: steps, guidance, taken },
      moves: moves.length ? moves.join(",") : null,
      at: at ? `${round(at.x)},${round(at.y)}` : null,
      walk: round(walked) || null,
    };
  }

  async copyLink() {
    const [first, ...beside] = this.given.models.map(({ name }) => name);
    const link = withSettings(location.href, { model: first, seed: this.given.seed, beside, ...this.values });
    try {
      await navigator.clipboard.writeText(link);
      this.say("The link is copied.");
    } catch {
      this.say(link); // a page without https may not write to the clipboard
    }
  }

  /** Let go of everything. */
  async end() {
    this.wandering = false;
    this.saving.end();
    for (const pane of this.panes) pane.end();
    (await this.engine).close();
  }
}

/**
 * A seed within what a seed may be.
 * @param {number} seed
 */
function around(seed) {
  return ((seed % 2 ** 32) + 2 ** 32) % 2 ** 32;
}

/**
 * @param {HTMLElement} root
 * @param {Given} given
 */
export function mount(root, given) {
  return new Page(root, given);
}
