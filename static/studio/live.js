/**
 * The live page within Streamlit. It is kept by its element: a rerun calls this again, with the same one. The modules
 * lie beside the page's address, wherever that is served.
 */

/** @typedef {import("../live/page.js")} Module */
/** @typedef {import("../live/page.js").Given} Given */
/** @typedef {import("../live/pane.js").Source} Source */

/** @type {WeakMap<Element, Promise<import("../live/page.js").Page>>} */
const pages = new WeakMap();

/** @param {{parentElement: HTMLElement, data: Given}} component */
export default function ({ parentElement, data }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".live"));
  /** @param {string} file */
  const here = (file) => new URL(file, document.baseURI).href;
  /**
   * @param {Source} source
   * @returns {Source}
   */
  const placed = ({ program, weights, student, ...model }) => ({
    ...model, program: here(program), weights: here(weights), ...(student ? { student: placed(student) } : {}),
  });
  const given = { ...data, models: data.models.map(placed) };
  const known = pages.get(root);
  const page = known
    ? known.then((each) => { each.update(given); return each; })
    : import(here("app/static/live/page.js")).then((/** @type {Module} */ { mount }) => mount(root, given));
  if (!known) page.catch(({ message }) => {
    root.textContent = `The live page could not start: ${message}. Reload it; an old browser may lack what it needs.`;
  });
  pages.set(root, page);
  return () => { pages.delete(root); page.then((each) => each.end()); };
}
