/** The site's first page: which models and seed, chosen here and kept in the address. */

import { withSettings } from "./live/address.js";
import { MOST_MODELS, mount } from "./live/page.js";
import { NAMES } from "./live/wheel.js";
import { button } from "./live/widgets.js";

/**
 * @typedef {object} Known
 * @property {string} folder of its page, program and weights
 * @property {number} bytes
 * @property {string} distance
 * @property {string | null} student
 * @property {string} about
 */

const MOST_SEED = 2 ** 32 - 1;
const REST = 250; // milliseconds without another choice, before a model is fetched: arrow keys pass many
const models = /** @type {Record<string, Known>} */ (JSON.parse(element("models").textContent ?? "{}"));
const picker = /** @type {HTMLSelectElement} */ (element("model"));
const more = /** @type {HTMLSelectElement} */ (element("add"));
const seeds = /** @type {HTMLInputElement} */ (element("seed"));
const asked = new URLSearchParams(location.search);
const label = labelOf(asked.get("label") ?? "");
/** @type {string[]} the models beside the first */
let beside = [];
let due = 0;

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * A class by its number or name; what is no class is every class.
 * @param {string} text
 * @returns {number | null}
 */
function labelOf(text) {
  const found = NAMES.findIndex((name, number) => [String(number), name.toLowerCase()].includes(text.toLowerCase()));
  return found < 0 ? null : found;
}

/**
 * A seed from text; what is none is 0.
 * @param {string | null} text
 */
function seedOf(text) {
  const seed = Number(text || "0");
  return Number.isInteger(seed) && seed >= 0 && seed <= MOST_SEED ? seed : 0;
}

/**
 * A model as the live page takes it.
 * @param {string} name
 * @returns {import("./live/page.js").Source}
 */
function source(name) {
  const { folder, bytes, distance, student } = models[name];
  const files = { program: `${folder}/program.json`, weights: `${folder}/weights.safetensors` };
  return { name, ...files, bytes, distance, ...(student ? { student: source(student) } : {}) };
}

/** What is chosen, as the live page takes it. */
function given() {
  return { models: [picker.value, ...beside].map(source), seed: seedOf(seeds.value), label };
}

function describe() {
  const { about, folder } = models[picker.value];
  const link = Object.assign(document.createElement("a"), { href: `${folder}/index.html`, textContent: "Its card and training" });
  const name = Object.assign(document.createElement("b"), { textContent: picker.value });
  element("about").replaceChildren(name, `: ${about} `, link);
  document.title = `${picker.value} - genlib`;
  const remove = (/** @type {string} */ each) => {
    const made = button(`${each} ×`, `Remove ${each}`, () => choose(beside.filter((other) => other !== each)));
    made.setAttribute("aria-label", `Remove ${each}`);
    return made;
  };
  element("beside").replaceChildren(more, ...beside.map(remove));
  for (const option of more.options) option.disabled = [picker.value, ...beside].includes(option.text);
  more.disabled = beside.length + 1 >= MOST_MODELS;
}

/**
 * The models of an address that can stand beside the first; of the others a line says why they do not.
 * @param {string[]} names
 */
function seated(names) {
  const others = [...new Set(names)].filter((name) => name && name !== picker.value);
  const known = others.filter((name) => Object.hasOwn(models, name));
  const lines = others.filter((name) => !known.includes(name)).map((name) => `${name} is not a model of this site.`);
  const late = known.slice(MOST_MODELS - 1);
  if (late.length) lines.push(`At most ${MOST_MODELS} models stand side by side; left out: ${late.join(", ")}.`);
  element("refused").textContent = lines.join(" ");
  return known.slice(0, MOST_MODELS - 1);
}

/**
 * Keep a choice in the address, without what belonged to the one before.
 * @param {Record<string, string | number | string[] | null>} values
 */
function keep(values) {
  history.replaceState(history.state, "", withSettings(location.href, values));
}

/**
 * Other models beside the first.
 * @param {string[]} names
 */
function choose(names) {
  beside = seated(names);
  describe();
  keep({ beside });
  page.update(given());
}

more.append(...Object.keys(models).map((name) => new Option(name)));
const wanted = asked.get("model") ?? "";
if (Object.hasOwn(models, wanted)) picker.value = wanted;
seeds.value = String(seedOf(asked.get("seed")));
beside = seated([wanted, ...asked.getAll("beside")]); // the first too, where it is not known
describe();
const page = mount(element("live"), given());
page.panes[0].coming.then(() => import("./keep.js")).catch(() => { // nobody keeps models before the first one came
  element("said").textContent = "Not possible now: a file of this page could not be loaded. Reload it.";
});
element("wait").remove();
page.panel.append(element("beside"));

picker.onchange = () => {
  beside = seated(beside);
  describe();
  keep({ model: picker.value, moves: null, beside });
  clearTimeout(due);
  due = setTimeout(() => page.update(given()), REST);
};
more.onchange = () => {
  const name = more.value;
  more.value = "";
  if (name) choose([...beside, name]);
};
seeds.onchange = () => {
  seeds.value = String(seedOf(seeds.value));
  keep({ seed: seeds.value, walk: null });
  page.update(given());
};
element("dice").onclick = () => {
  seeds.value = String(Math.floor(10_000 * Math.random()));
  seeds.onchange?.(new Event("change"));
};
