/** What is asked for under a hand, drawn as fast as the model can: one request at a time, and the newest wins. */

/** @typedef {import("./engine.js").LiveModel} LiveModel */
/** @typedef {import("./request.js").Request} Request */

/**
 * Some pictures of a request, and how far it is.
 * @typedef {object} Drawn
 * @property {Uint8Array} pictures
 * @property {number} from the number of the first
 * @property {Request} request
 * @property {LiveModel} model
 * @property {number} took milliseconds since the request's first picture was begun
 * @property {boolean} last whether nothing more of the request comes
 */
/**
 * @typedef {object} Asked
 * @property {LiveModel} model
 * @property {Request} request
 * @property {number} least
 * @property {Standing | null} before
 */
/** @typedef {{model: LiveModel, request: Request}} Standing another model, whose pictures stand in until the own come */

const FRAME = 33; // milliseconds; what takes longer is drawn in part while a hand moves
const PATIENCE = 300; // milliseconds; what takes longer comes part by part once the hand rests

export class Drawer {
  /**
   * @param {(drawn: Drawn) => void} show
   * @param {(error: unknown) => void} fail
   */
  constructor(show, fail) {
    this.show = show;
    this.fail = fail;
    /** @type {Asked | null} */
    this.next = null;
    this.busy = false;
    this.stopping = new AbortController();
    /** @type {WeakMap<LiveModel, number>} milliseconds a picture, as measured last */
    this.each = new WeakMap();
  }

  /**
   * @param {LiveModel} model
   * @param {Request} request
   * @param {number} [least] while a hand moves, the pictures of a row: so many or a multiple are drawn; 0: all of them
   * @param {Standing | null} [before]
   */
  ask(model, request, least = 0, before = null) {
    this.next = { model, request, least, before };
    this.stopping.abort();
    if (!this.busy) this.run();
  }

  /** Draw nothing more. */
  stop() {
    this.next = null;
    this.stopping.abort();
  }

  async run() {
    this.busy = true;
    while (this.next) {
      const { model, request, least, before } = this.next;
      this.next = null;
      this.stopping = new AbortController();
      const { signal } = this.stopping;
      try {
        if (before) await this.all(before.model, before.request, signal, false);
        await (least ? this.some(model, request, least) : this.all(model, request, signal));
      } catch (error) {
        if (!signal.aborted) this.fail(error);
      }
      await new Promise((done) => requestAnimationFrame(done));
    }
    this.busy = false;
  }

  /**
   * As many pictures as a frame has time for.
   * @param {LiveModel} model
   * @param {Request} request
   * @param {number} least
   */
  async some(model, request, least) {
    const all = countOf(request);
    const fewer = Math.max(1, Math.floor(FRAME / (this.each.get(model) ?? Infinity) / least)) * least;
    await this.part(model, request, 0, this.affords(model, all) ? all : Math.min(all, fewer), performance.now());
  }

  /**
   * Whether a frame has time for so many pictures.
   * @param {LiveModel} model
   * @param {number} count
   */
  affords(model, count) {
    return (this.each.get(model) ?? Infinity) * count <= FRAME;
  }

  /**
   * All pictures, part by part where that takes long.
   * @param {LiveModel} model
   * @param {Request} request
   * @param {AbortSignal} signal
   * @param {boolean} [final] whether nothing comes after them
   */
  async all(model, request, signal, final = true) {
    const all = countOf(request);
    const began = performance.now();
    for (let from = 0; from < all && !signal.aborted; ) {
      const each = this.each.get(model) ?? Infinity; // not measured yet: it may take long
      const size = each * all <= PATIENCE ? all : Math.max(1, Math.floor(PATIENCE / each / model.together)) * model.together;
      const count = Math.min(size, all - from);
      await this.part(model, request, from, count, began, signal, final);
      from += count;
    }
  }

  /**
   * @param {LiveModel} model
   * @param {Request} request
   * @param {number} from
   * @param {number} count
   * @param {number} began
   * @param {AbortSignal} [signal] after which it is not wanted any more
   * @param {boolean} [final]
   */
  async part(model, request, from, count, began, signal, final = true) {
    const { start = 0, shares } = request;
    const own = shares ? { shares: Array.from(shares).slice(from, from + count) } : { start: start + from, count };
    const started = performance.now();
    const pictures = await model.draw({ ...request, ...own }, signal);
    const now = performance.now();
    this.each.set(model, (now - started) / (Math.ceil(count / model.together) * model.together));
    if (signal?.aborted) return;
    const last = !signal || (final && from + count >= countOf(request));
    this.show({ pictures, from, request, model, took: now - began, last });
  }
}

/**
 * Pictures of a request.
 * @param {Request} request
 * @returns {number}
 */
function countOf({ count = 1, shares }) {
  return shares?.length ?? count;
}
