/** Solvers of dx/dt = velocity from noise, time 1, to the image, time 0 (genlib/solvers.py). */

import { LANES } from "./rows.js";

/** @typedef {import("./plan.js").Plan} Plan */
/** @template T @typedef {Generator<void, T, void>} Paused something long that pauses now and then, and what it ends in */

/**
 * Move the latents in their buffer towards images, in equal steps, as many as are to be taken, with a pause after each.
 * @param {Plan} plan
 * @param {import("./request.js").Path} path
 * @param {number} blocks
 * @returns {Paused<void>}
 */
export function* integrate(plan, { steps, solver, guidance, taken }, blocks) {
  const { kernels } = plan;
  const [first, second, before] = /** @type {number[]} */ (plan.spare);
  const x = plan.pointer(plan.find("latent"));
  const count = plan.rows(plan.program.output) * LANES * blocks;
  for (let i = 0; i < taken; i++) {
    const now = timeAt(i, steps);
    const then = timeAt(i + 1, steps);
    const step = then - now;
    velocity(plan, now, guidance, first, blocks);
    if (solver === "heun" && then > 0) {
      kernels.combine(x, x, before, count, 0);
      kernels.combine(x, first, x, count, step);
      velocity(plan, then, guidance, second, blocks);
      kernels.combine(first, second, first, count, 1);
      kernels.combine(before, first, x, count, step / 2);
    } else kernels.combine(x, first, x, count, step);
    yield;
  }
}

/**
 * Equally spaced from 1 to 0, counted from the nearer end.
 * @param {number} i
 * @param {number} steps
 * @returns {number}
 */
function timeAt(i, steps) {
  return i < (steps + 1) / 2 ? 1 - i / steps : (steps - i) / steps;
}

/**
 * The velocity at a time, with guidance (arXiv:2207.12598, eq. 6).
 * @param {Plan} plan
 * @param {number} time
 * @param {number} guidance
 * @param {number} to
 * @param {number} blocks
 */
function velocity(plan, time, guidance, to, blocks) {
  const { kernels } = plan;
  const out = plan.pointer(plan.program.output);
  const count = plan.rows(plan.program.output) * LANES * blocks;
  plan.time = time;
  plan.told = guidance !== 0;
  plan.run(blocks);
  kernels.combine(out, out, to, count, 0);
  if (guidance === 0 || guidance === 1) return;
  plan.told = false;
  plan.run(blocks);
  kernels.combine(to, out, to, count, -1);
  kernels.combine(out, to, to, count, guidance);
}
