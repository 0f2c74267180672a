/** What is asked for under a hand, drawn as fast as the model can: one request at a time, and the newest wins. */

/** @typedef {import("./engine.js").LiveModel} LiveModel */
/** @typedef {import("./request.js").Request} Request */

const FRAME = 33; // milliseconds; what takes longer is drawn in part while a hand moves

export class Drawer {
  /**
   * @param {(pictures: Uint8Array, request: Request, milliseconds: number) => void} show
   * @param {(error: unknown) => void} fail
   */
  constructor(show, fail) {
    this.show = show;
    this.fail = fail;
    /** @type {LiveModel | null} */
    this.model = null;
    /** @type {{request: Request, least: number} | null} */
    this.next = null;
    this.busy = false;
    this.each = 0; // milliseconds a picture, as measured last
  }

  /**
   * @param {Request} request
   * @param {number} [least] while a hand moves, the pictures of a row: so many or a multiple are drawn; 0: all of them
   */
  ask(request, least = 0) {
    this.next = { request, least };
    if (!this.busy) this.run();
  }

  async run() {
    this.busy = true;
    while (this.next && this.model) {
      const { request, least } = this.next;
      this.next = null;
      await this.draw(this.model, { ...request, count: this.affordable(request.count, least) });
      await new Promise((done) => requestAnimationFrame(done));
    }
    this.busy = false;
  }

  /**
   * @param {LiveModel} model
   * @param {Request} request
   */
  async draw(model, request) {
    const began = performance.now();
    try {
      const pictures = await model.draw(request);
      if (model !== this.model) return; // another was chosen meanwhile
      const took = performance.now() - began;
      this.each = took / request.count;
      this.show(pictures, request, took);
    } catch (error) {
      if (model === this.model) this.fail(error);
    }
  }

  /**
   * How many pictures a frame has time for.
   * @param {number} count
   * @param {number} least
   */
  affordable(count, least) {
    if (!least || this.each * count <= FRAME) return count;
    return Math.min(count, Math.max(1, Math.floor(FRAME / this.each / least)) * least);
  }
}
