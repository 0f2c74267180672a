/** Everything of this site in the browser's cache, by the visitor's wish: the service worker then answers from there. */

/** @typedef {{version: string, files: Record<string, number>}} List */

const LIST = "files.json"; // in the cache, it says that all the others are there
const button = /** @type {HTMLButtonElement} */ (document.getElementById("keep"));
const bar = /** @type {HTMLProgressElement} */ (document.getElementById("kept"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));
const offer = button.textContent;
const root = new URL("./", location.href).href;
const prefix = `genlib ${root} `; // caches are the whole host's
const possible = "serviceWorker" in navigator && (await allowed().catch(() => false));

/** Whether the visitor's settings allow caches. */
async function allowed() {
  return Boolean(await caches.keys());
}

/** Whether everything is kept, and what the button does now. */
async function show() {
  const kept = possible && (await Promise.all((await own()).map((name) => complete(name)))).some(Boolean);
  button.textContent = kept ? "Remove what is kept" : offer;
  button.onclick = () => run(kept ? remove : keep);
  button.disabled = !possible;
  bar.hidden = true;
  if (!possible) said.textContent = "Not possible here: browsers keep sites only from an https address or from localhost, and only where storage is allowed.";
  else if (kept) said.textContent = "All models are kept: this site works without a network.";
}

/** @returns {Promise<string[]>} names of this site's caches */
async function own() {
  return (await caches.keys()).filter((name) => name.startsWith(prefix));
}

/** @param {string} name */
async function complete(name) {
  return (await caches.match(root + LIST, { cacheName: name })) !== undefined;
}

/** Fetch what is not kept yet, one file after the other. */
async function keep() {
  const list = /** @type {List} */ (await (await ask(LIST)).json());
  await navigator.serviceWorker.register(`${root}service-worker.js`);
  navigator.storage?.persist?.(); // asked, not waited for: without it a browser may drop the cache when space is short
  const cache = await caches.open(prefix + list.version);
  const whole = Object.values(list.files).reduce((sum, bytes) => sum + bytes, 0);
  bar.value = 0;
  bar.hidden = false;
  let got = 0;
  for (const [file, bytes] of Object.entries(list.files)) {
    if (!(await cache.match(root + file))) await cache.put(root + file, await ask(file));
    got += bytes;
    bar.value = got / whole;
    said.textContent = `${(got / 1e6).toFixed(0)} of ${(whole / 1e6).toFixed(0)} MB`;
  }
  await cache.put(root + LIST, new Response(JSON.stringify(list)));
  await navigator.serviceWorker.ready;
}

async function remove() {
  for (const name of await own()) await caches.delete(name);
  await (await navigator.serviceWorker.getRegistration(root))?.unregister();
  said.textContent = "Removed.";
}

/**
 * A file, past any cache. A redirected answer may not stand for a page, so it is made a plain one.
 * @param {string} file
 */
async function ask(file) {
  const answer = await fetch(root + file, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`the server answers ${answer.status} for ${file}`);
  return answer.redirected ? new Response(await answer.blob(), { headers: answer.headers }) : answer;
}

/** @param {() => Promise<void>} work */
async function run(work) {
  button.disabled = true;
  try {
    await work();
    await show();
  } catch (error) {
    await show();
    said.textContent = `That did not work: ${error instanceof Error ? error.message : error}.`;
  }
}

show();
