/**
 * What a visitor has set, as this tab knows it; ui/settings.py says what for.
 *
 * A page has one entry in the browser's history, which holds its settings: Streamlit pushes one for each value that it
 * puts into an address, and empties the address of a page that is left. The tab remembers what differs from a default.
 */

/** @typedef {Record<string, string[]>} Values by key, as an address has them */
/** @typedef {Record<string, string[] | null>} Changes null where a control has its default */
/** @typedef {{shown: string, page: string | null, loose: string[], session: string | null, waits: boolean}} Tab */
/** @typedef {{session: string, brought: boolean}} Met what the parts of the script above a page and below it know */
/** @typedef {Met & {page: string, search: string, values: Record<string, Changes>, loose: string[]}} Kept */
/** @typedef {any} Chart Plotly's element */

const STORE = "genlib-settings";
const REST = 200; // milliseconds without a drawing
const MOST_LOOKS = 20; // at a chart that is to be zoomed

/** @returns {Record<string, Values>} by page */
function stored() {
  try { return JSON.parse(sessionStorage.getItem(STORE) ?? "{}") ?? {}; } catch { return {}; }
}

/**
 * @param {string} page
 * @param {Changes} values
 */
function store(page, values) {
  const all = stored();
  const kept = Object.entries({ ...all[page], ...values }).filter(([, value]) => value !== null);
  all[page] = /** @type {Values} */ (Object.fromEntries(kept));
  try { sessionStorage.setItem(STORE, JSON.stringify(all)); } catch { return; }  // a browser that keeps nothing
}

function place() {
  return location.pathname.split("/").pop() || "home";
}

/**
 * @param {string} search
 * @param {string[]} loose
 * @returns {Changes}
 */
function looseIn(search, loose) {
  const named = new URLSearchParams(search);
  return Object.fromEntries(loose.map((key) => [key, named.has(key) ? named.getAll(key) : null]));
}

/**
 * @param {Tab} tab
 * @param {Kept} kept
 */
function show(tab, { page, search, loose }) {
  const address = new URL(location.href), before = stored()[page] ?? {};
  address.search = search;
  for (const [key, value] of Object.entries(looseIn(location.search, loose))) {
    for (const each of value ?? before[key] ?? []) address.searchParams.append(key, each);
  }
  Object.assign(tab, { page, loose, shown: address.href });
  if (address.search !== location.search) history.replaceState(history.state, "", address);
}

function watchTab() {
  /** @type {Tab} */
  const tab = { shown: location.href, page: null, loose: [], session: null, waits: false };
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  /** @param {string | URL | null | undefined} address */
  const page = (address) => new URL(address ?? "", location.href).pathname;
  history.pushState = (state, title, address) => {
    if (page(address) === location.pathname) return replace(state, title, address);
    if (page(tab.shown) === location.pathname) replace(history.state, "", tab.shown);
    push(state, title, address);
    tab.shown = location.href;
  };
  history.replaceState = (state, title, address) => {
    replace(state, title, address);
    tab.shown = location.href;
    if (place() === tab.page) store(tab.page, looseIn(location.search, tab.loose));
  };
  watchCharts();
  addEventListener("popstate", () => { tab.shown = location.href; });
  return tab;
}

/**
 * Streamlit makes a chart anew for each change of its figure. Where the new one has the `uirevision` of one that was
 * zoomed, it is zoomed too: through the callback by which Streamlit's own component hears of a zoom.
 */
function watchCharts() {
  const zooms = new Map();
  /** @param {Chart} chart */
  const take = (chart) => {
    const revision = chart.layout?.uirevision;
    if (!revision || chart.genlibTaken) return;
    chart.genlibTaken = true;
    if (zooms.has(revision)) keepZoomed(chart, zooms.get(revision));
    chart.on("plotly_relayout", () => zooms.set(revision, zoomOf(chart._fullLayout)));
  };
  const look = () => document.querySelectorAll(".js-plotly-plot").forEach(take);
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
}

/**
 * Zoom a chart, and look again once it rests: a busy browser may end with the drawing that was under way before, of
 * which Streamlit's component hears too. A hand on the chart is the last word.
 *
 * @param {Chart} chart
 * @param {Record<string, object>} zoom
 */
function keepZoomed(chart, zoom) {
  let looks = MOST_LOOKS, resting = 0;
  const drawn = () => {
    clearTimeout(resting);
    resting = setTimeout(look, REST);
  };
  const end = () => {
    clearTimeout(resting);
    chart.removeListener("plotly_afterplot", drawn);
  };
  const look = () => {
    if (looks-- === 0 || JSON.stringify(zoomOf(chart._fullLayout)) === JSON.stringify(zoom)) return end();
    zoomTo(chart, zoom);
    drawn();
  };
  chart.on("plotly_afterplot", drawn);
  chart.addEventListener("pointerdown", end, { once: true });
  zoomTo(chart, zoom);
  drawn();
}

/** @param {Record<string, any>} layout */
function zoomOf(layout) {
  /** @type {Record<string, object>} */
  const zoom = {};
  for (const [name, part] of Object.entries(layout)) {
    const zoomed = /^[xy]axis\d*$/.test(name) && part.autorange === false;
    if (zoomed) zoom[name] = { range: [...part.range], autorange: false };
    if (/^scene\d*$/.test(name) && part._scene) zoom[name] = { camera: part._scene.getCamera() };
  }
  return zoom;
}

/**
 * @param {Chart} chart
 * @param {Record<string, object>} zoom
 */
function zoomTo(chart, zoom) {
  const fiber = Object.keys(chart).find((key) => key.startsWith("__reactFiber$")) ?? "";
  const heard = chart[fiber]?.return?.memoizedProps?.onUpdate;
  const layout = { ...chart.layout };
  for (const [name, part] of Object.entries(zoom)) layout[name] = { ...layout[name], ...part };
  heard?.({ data: chart.data, layout, frames: null });
}

/**
 * Both parts of the script, above the page and below it, begin here: a busy browser may run the lower one first, which
 * must not write a new session's defaults over what the one before has yet to bring back.
 *
 * @param {Tab} tab
 * @param {string} session
 */
function meet(tab, session) {
  if (tab.session === session) return;
  const named = new URLSearchParams(location.search);
  const known = Object.values(stored()).flatMap((values) => Object.keys(values));
  Object.assign(tab, { session, waits: known.some((key) => !named.has(key)) });
}

/** @param {{data: Met | Kept, setStateValue: (name: string, value: unknown) => void}} component */
export default function ({ data, setStateValue }) {
  const here = /** @type {Window & {genlibTab?: Tab}} */ (window);
  const tab = (here.genlibTab ??= watchTab());
  meet(tab, data.session);
  if (!("page" in data)) {
    if (tab.waits && !data.brought) setStateValue("stored", stored());
    return;
  }
  tab.waits &&= !data.brought;
  if (!tab.waits) for (const [page, values] of Object.entries(data.values)) store(page, values);
  if (place() === data.page) show(tab, data);
}
