/** Buttons that save what is shown; how that is done is fetched when it is first wanted. */

import { reason } from "./errors.js";
import { button } from "./widgets.js";

/** @typedef {import("./page.js").Page} Page */

const VIDEOS = { MP4: "video/mp4;codecs=avc1.42E01E", WebM: "video/webm" };

/**
 * The kind of video that the browser records, and its type; none where it records none.
 * @returns {[string, string] | undefined}
 */
function video() {
  const can = typeof MediaRecorder !== "undefined" && "captureStream" in HTMLCanvasElement.prototype;
  return can ? Object.entries(VIDEOS).find(([, type]) => MediaRecorder.isTypeSupported(type)) : undefined;
}

export class Saving {
  /**
   * @param {Page} page
   */
  constructor(page) {
    this.page = page;
    /** @type {AbortController | null} of the film under way */
    this.filming = null;
    this.element = document.createElement("div");
    this.element.className = "choice";
    const [kind, type] = video() ?? [];
    this.films = [this.button("GIF", "A walk through the next two seeds and back, as a film", () => this.film("GIF", ""))];
    if (kind && type) this.films.push(this.button(kind, "The same as a video", () => this.film(kind, type)));
    this.element.append("Save", this.button("PNG", "The pictures, enlarged", () => this.still()), ...this.films);
  }

  /**
   * @param {string} kind
   * @param {string} help
   * @param {() => void} clicked
   */
  button(kind, help, clicked) {
    const made = button(kind, help, clicked);
    made.setAttribute("aria-label", `Save ${kind}`);
    return made;
  }

  /** @param {boolean} possible whether any of the models can walk */
  offer(possible) {
    for (const each of this.films) each.disabled = !possible;
  }

  async still() {
    try {
      await (await import("./film.js")).saveStill(this.page);
    } catch (error) {
      this.page.say(`The picture could not be saved: ${reason(error)}`);
    }
  }

  /**
   * @param {string} kind
   * @param {string} type
   */
  async film(kind, type) {
    if (this.filming) return this.filming.abort();
    const { page } = this;
    this.filming = new AbortController();
    const { signal } = this.filming;
    try {
      await (await import("./film.js")).saveFilm(page, kind, type, signal);
    } catch (error) {
      page.say(signal.aborted ? "The film was stopped." : `The film failed: ${reason(error)}`);
    } finally {
      this.filming = null;
    }
  }

  /** Give up the film under way. */
  end() {
    this.filming?.abort();
  }
}
