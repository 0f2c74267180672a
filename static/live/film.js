/** What is shown as files: a picture, or the walk from its seed by the next two and back as a film without an end. */

import { gif } from "./gif.js";
import { PIXELS, enlarged, sheetOf, sideBySide } from "./sheet.js";

/** @typedef {import("./pane.js").Hand} Hand */
/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./pane.js").Pane} Pane */
/** @typedef {import("./sheet.js").Sheet} Sheet */

const STILL = 8; // a saved picture's pixel is a square of so many
const WIDE = 640; // pixels of a film, about
const SEEDS = 3; // that the walk goes through
const BETWEEN = 16; // frames from one to the next
const DELAY = 8; // hundredths of a second that a frame is shown
const BITS = 5_000_000; // a second, of a video
const SHARES = Array.from({ length: BETWEEN }, (_, i) => i / BETWEEN);

/**
 * What is shown as a PNG, enlarged without blur.
 * @param {Pane[]} panes
 * @returns {Promise<Blob | null>}
 */
export function png(panes) {
  const canvas = document.createElement("canvas");
  paint(canvas, enlarged(sideBySide(panes.map(({ grid }) => sheetOf(grid.pictures, grid.columns))), STILL));
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/**
 * The walk, drawn frame by frame. Rejects once the signal is given.
 * @param {Pane[]} panes
 * @param {Hand} hand where it begins
 * @param {AbortSignal} signal
 * @param {(share: number) => void} progress
 * @returns {Promise<Sheet[]>}
 */
export async function film(panes, hand, signal, progress) {
  /** @type {Sheet[]} */
  const frames = [];
  for (let leg = 0; leg < SEEDS; leg++) {
    const [seed, toward] = [leg, (leg + 1) % SEEDS].map((step) => (hand.seed + step) % 2 ** 32);
    const ways = panes.map((pane) => stretch(pane, { ...hand, seed, toward }));
    for (const share of SHARES) {
      signal.throwIfAborted();
      const sheets = await Promise.all(ways.map((way) => way(share)));
      frames.push(sideBySide(sheets));
      progress(frames.length / (SEEDS * BETWEEN));
    }
  }
  const side = Math.max(1, Math.min(STILL, Math.round(WIDE / frames[0].width)));
  return frames.map((frame) => enlarged(frame, side));
}

/**
 * A model's pictures at each share of the way from one seed to another. A picture alone is drawn at all of them at once;
 * of many, a model that takes many steps leaves the drawing to its student, where it has one.
 * @param {Pane} pane
 * @param {Hand} hand
 * @returns {(share: number) => Promise<Sheet>}
 */
function stretch(pane, hand) {
  const { columns } = pane.grid;
  const single = pane.alone || hand.count === 1;
  const model = /** @type {import("./engine.js").LiveModel} */ (single ? pane.model : (pane.student ?? pane.model));
  if (single && pane.walks) {
    const { count: _, share: __, ...request } = pane.request(hand, model);
    const drawn = model.draw({ ...request, shares: SHARES });
    return async (share) => {
      const at = SHARES.indexOf(share) * PIXELS;
      return sheetOf((await drawn).subarray(at, at + PIXELS), 1);
    };
  }
  return async (share) => sheetOf(await model.draw(pane.request({ ...hand, share }, model)), columns);
}

/**
 * @param {Sheet[]} frames
 * @returns {Blob}
 */
export function asGif(frames) {
  const { width, height } = frames[0];
  const levels = frames.map((frame) => frame.levels);
  return new Blob([/** @type {any} */ (gif(width, height, levels, DELAY))], { type: "image/gif" });
}

/**
 * The film once through, recorded as it plays. Rejects once the signal is given.
 * @param {Sheet[]} frames
 * @param {string} type as MediaRecorder knows it
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export async function asVideo(frames, type, signal) {
  const canvas = document.createElement("canvas");
  paint(canvas, frames[0]);
  const stream = canvas.captureStream();
  const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: BITS });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((done, failed) => {
    recorder.onstop = done;
    recorder.onerror = () => failed(new Error("the browser could not record the video"));
  });
  try {
    recorder.start();
    for (const frame of [...frames, frames[0]]) {
      signal.throwIfAborted();
      paint(canvas, frame);
      await new Promise((done) => setTimeout(done, 10 * DELAY));
    }
    recorder.stop();
    await ended;
  } finally {
    for (const track of stream.getTracks()) track.stop(); // which ends a recorder that still runs
  }
  return new Blob(parts, { type: type.split(";")[0] });
}

/**
 * Grey levels on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Sheet} sheet
 */
function paint(canvas, { width, height, levels }) {
  const pixels = new ImageData(width, height);
  for (let i = 0; i < levels.length; i++) pixels.data.fill(levels[i], 4 * i, 4 * i + 3);
  for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = 255;
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}

/**
 * @param {Page} page
 */
export async function saveStill(page) {
  save(page, await png(page.panes), "png");
}

/**
 * The walk from where the page is. Rejects once the signal is given.
 * @param {Page} page
 * @param {string} kind
 * @param {string} type of a video, or empty
 * @param {AbortSignal} signal
 */
export async function saveFilm(page, kind, type, signal) {
  const panes = page.panes.filter(({ model }) => model);
  const frames = await film(panes, page.hand, signal, (share) =>
    page.say(`The film is drawn: ${Math.round(100 * share)} %. Press Save ${kind} again to stop.`),
  );
  if (type) page.say(`The film is recorded as it plays. Press Save ${kind} again to stop.`);
  save(page, type ? await asVideo(frames, type, signal) : asGif(frames), kind.toLowerCase());
  page.say(`The ${kind} is saved.`);
}

/**
 * Hand a file to the visitor.
 * @param {Page} page
 * @param {Blob | null} blob
 * @param {string} ending
 */
function save(page, blob, ending) {
  if (!blob) return;
  const names = page.given.models.map(({ name }) => name.replace("/", "-"));
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = `${names.join("-")}-live.${ending}`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}
