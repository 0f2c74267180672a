/** The site's first page: which model and seed, chosen here and kept in the address. */

import { withSettings } from "./live/address.js";
import { mount } from "./live/page.js";
import { NAMES } from "./live/wheel.js";

/** @typedef {{program: string, weights: string, bytes: number, about: string, page: string}} Known */

const MOST_SEED = 2 ** 32 - 1;
const REST = 250; // milliseconds without another choice, before a model is fetched: arrow keys pass many
const models = /** @type {Record<string, Known>} */ (JSON.parse(element("models").textContent ?? "{}"));
const picker = /** @type {HTMLSelectElement} */ (element("model"));
const seeds = /** @type {HTMLInputElement} */ (element("seed"));
const label = labelOf(new URLSearchParams(location.search).get("label") ?? "");
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

/** What is chosen, as the live page takes it. */
function given() {
  const { program, weights, bytes } = models[picker.value];
  return { model: { name: picker.value, program, weights, bytes }, seed: seedOf(seeds.value), label };
}

function describe() {
  const { about, page } = models[picker.value];
  const link = Object.assign(document.createElement("a"), { href: page, textContent: "Its card and training" });
  const name = Object.assign(document.createElement("b"), { textContent: picker.value });
  element("about").replaceChildren(name, `: ${about} `, link);
  document.title = `${picker.value} - genlib`;
}

/**
 * Keep a choice in the address, without what belonged to the one before.
 * @param {Record<string, string | number>} values
 * @param {string[]} stale
 */
function keep(values, stale = []) {
  const url = new URL(withSettings(location.href, values));
  for (const key of stale) url.searchParams.delete(key);
  history.replaceState(history.state, "", url);
}

const asked = new URLSearchParams(location.search);
const wanted = asked.get("model") ?? "";
if (Object.hasOwn(models, wanted)) picker.value = wanted;
seeds.value = String(seedOf(asked.get("seed")));
describe();
element("wait").remove();
const page = mount(element("live"), given());
page.grid.resize(page.settings.n, page.columns); // its place is kept while the first model comes

picker.onchange = () => {
  describe();
  keep({ model: picker.value }, ["moves"]);
  clearTimeout(due);
  due = setTimeout(() => page.update(given()), REST);
};
seeds.onchange = () => {
  seeds.value = String(seedOf(seeds.value));
  keep({ seed: seeds.value });
  page.update(given());
};
element("dice").onclick = () => {
  seeds.value = String(Math.floor(10_000 * Math.random()));
  seeds.onchange?.(new Event("change"));
};
