/** Answers from what the visitor chose to keep (keep.js), else from the network. Another version of the site, another cache. */

const PREFIX = `genlib ${self.registration.scope} `;
const CACHE = `${PREFIX}$version`;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(self.registration.scope)) event.respondWith(answer(event.request));
});

async function takeOver() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

async function answer(request) {
  const { origin, pathname } = new URL(request.url);
  const file = origin + pathname + (pathname.endsWith("/") ? "index.html" : "");
  return (await caches.match(file, { cacheName: CACHE, ignoreVary: true })) ?? fetch(request);
}
