/** What is asked of a model, checked and written out sample by sample (genlib/sampling.py, `generate`). */

import { MOST_GUIDANCE, MOST_STEPS, SOLVERS } from "./check.js";
import { LiveError, number, shown, whole } from "./errors.js";
import { CLASSES } from "./rules.js";
import { size } from "./shapes.js";

/** @typedef {import("./check.js").Program} Program */

/**
 * What a page asks for. Only `count`, or `shares`, must be given.
 * @typedef {object} Request
 * @property {number} [count] pictures
 * @property {number} [seed] 0 to 4294967295
 * @property {number} [start] the first sample of the seed
 * @property {number | ArrayLike<number>} [classes] one class 0-9, or one a picture; none: the classes in turn
 * @property {ArrayLike<number>} [mixture] ten shares that sum to 1, for all pictures or (count x 10) for each
 * @property {number} [toward] another seed, to whose noise `share` of the way is gone
 * @property {number} [share] 0 to 1; along the arc between the two, which keeps the noise's spread
 * @property {ArrayLike<number>} [shares] a picture for each, all of the one sample `start`; in place of share and count
 * @property {number} [temperature] scales the noise; 1 as trained
 * @property {ArrayLike<number>} [shift] added to every latent
 * @property {ArrayLike<number>} [moves] standard deviations along the program's directions
 * @property {number} [steps] of a model that integrates, as the next two
 * @property {string} [solver] euler or heun
 * @property {number} [guidance] how far the class pulls
 * @property {number} [taken] steps after which the picture is taken; all of them unless given, noise at 0
 */

/**
 * The same, checked and whole.
 * @typedef {object} Job
 * @property {number} seed
 * @property {number} start
 * @property {number} count
 * @property {Float32Array | null} mixtures (count x 10)
 * @property {number} toward
 * @property {number} share
 * @property {Float32Array | null} shares
 * @property {number} temperature
 * @property {Float32Array | null} shift
 * @property {Path} path
 */

/** @typedef {{steps: number, solver: string, guidance: number, taken: number}} Path */

const MOST_SAMPLES = 100_000;

/**
 * @param {Program} program
 * @param {Request} request
 * @returns {Job}
 */
export function readRequest(program, request) {
  if (!request || typeof request !== "object")
    throw new LiveError(`a request must be an object, not ${shown(request)}`);
  const { seed = 0, start = 0, temperature = 1, toward = seed, share = 0 } = request;
  const shares = request.shares === undefined ? null : numbers("shares", request.shares);
  const count = whole("count", shares ? shares.length : request.count, 1, MOST_SAMPLES);
  const samples = Array.from({ length: count }, (_, i) => (shares ? start : start + i));
  return {
    seed: whole("seed", seed, 0, 2 ** 32 - 1),
    start: whole("start", start, 0, 2 ** 53 - 1 - count),
    count,
    toward: whole("toward", toward, 0, 2 ** 32 - 1),
    share: number("share", share, 0, 1),
    shares: shares?.map((each) => number("each of the shares", each, 0, 1)) ?? null,
    mixtures: readClasses(program, request, samples),
    temperature: number("temperature", temperature, 0, 1e6),
    shift: readShift(program, request),
    path: readPath(program, request),
  };
}

/**
 * A part of a job: some of its samples.
 * @param {Job} job
 * @param {number} from
 * @param {number} count
 * @returns {Job}
 */
export function partOf(job, from, count) {
  const mixtures = job.mixtures?.slice(CLASSES * from, CLASSES * (from + count)) ?? null;
  const shares = job.shares?.slice(from, from + count) ?? null;
  return { ...job, start: shares ? job.start : job.start + from, count, shares, mixtures };
}

/**
 * @param {Program} program
 * @param {Request} request
 * @param {number[]} samples the number of each picture's
 * @returns {Float32Array | null}
 */
function readClasses(program, { classes, mixture }, samples) {
  if (!program.operations.some(({ op }) => op === "classes")) {
    if (classes === undefined && mixture === undefined) return null;
    throw new LiveError("this model has no classes to choose from");
  }
  if (mixture !== undefined) return readMixture(mixture, samples.length);
  const mixtures = new Float32Array(samples.length * CLASSES);
  samples.forEach((_, i) => (mixtures[i * CLASSES + classOf(classes, i, samples)] = 1));
  return mixtures;
}

/**
 * @param {number | ArrayLike<number> | undefined} classes
 * @param {number} i
 * @param {number[]} samples
 * @returns {number}
 */
function classOf(classes, i, samples) {
  if (classes === undefined) return samples[i] % CLASSES;
  if (typeof classes === "number") return whole("classes", classes, 0, CLASSES - 1);
  if (classes?.length !== samples.length)
    throw new LiveError(`classes must be one, or ${samples.length} of them, not ${shown(classes)}`);
  return whole("classes", classes[i], 0, CLASSES - 1);
}

/**
 * @param {ArrayLike<number>} mixture
 * @param {number} count
 * @returns {Float32Array}
 */
function readMixture(mixture, count) {
  const given = numbers("mixture", mixture);
  const whole = count * CLASSES;
  if (given.length !== CLASSES && given.length !== whole)
    throw new LiveError(`mixture must have ${CLASSES} or ${whole} shares, not ${given.length}`);
  const mixtures = Float32Array.from({ length: whole }, (_, i) => given[i % given.length]);
  for (let i = 0; i < given.length; i += CLASSES) {
    const shares = given.subarray(i, i + CLASSES);
    const right =
      shares.every((share) => share >= 0) && Math.abs(shares.reduce((sum, share) => sum + share) - 1) < 1e-3;
    if (!right) throw new LiveError("the shares of a mixture must be non-negative and sum to 1");
  }
  return mixtures;
}

/**
 * @param {Program} program
 * @param {Request} request
 * @returns {Float32Array | null}
 */
function readShift(program, { shift, moves }) {
  if (shift === undefined && moves === undefined) return null;
  const length = size(program.operations.find(({ op }) => op === "latent")?.shape ?? []);
  const { directions = [] } = program;
  const sum = shift === undefined ? new Float32Array(length) : numbers("shift", shift);
  if (sum.length !== length) throw new LiveError(`shift must have ${length} numbers, not ${sum.length}`);
  const along = moves === undefined ? new Float32Array(0) : numbers("moves", moves);
  if (along.length > directions.length)
    throw new LiveError(`moves must have at most ${directions.length} numbers, a direction each, not ${along.length}`);
  return sum.map((value, i) => along.reduce((moved, move, k) => moved + move * directions[k].step[i], value));
}

/**
 * @param {string} name
 * @param {ArrayLike<number>} values
 * @returns {Float32Array}
 */
function numbers(name, values) {
  const whole = values && typeof values === "object" && Array.from(values).every((value) => Number.isFinite(value));
  if (!whole) throw new LiveError(`${name} must be a list of finite numbers, not ${shown(values)}`);
  return Float32Array.from(values);
}

/**
 * @param {Program} program
 * @param {Request} request
 * @returns {Path}
 */
function readPath({ integrate }, { steps, solver, guidance, taken }) {
  const given = [steps, solver, guidance, taken].some((value) => value !== undefined);
  if (given && !integrate) throw new LiveError("this model takes no steps, solver or guidance: it draws in one step");
  const { steps: usual = 1, solver: way = "euler", guidance: pull = 1 } = integrate ?? {};
  if (solver !== undefined && !SOLVERS.includes(solver))
    throw new LiveError(`solver must be ${SOLVERS.join(" or ")}, not ${shown(solver)}`);
  const all = whole("steps", steps ?? usual, 1, MOST_STEPS);
  return {
    steps: all,
    solver: solver ?? way,
    guidance: number("guidance", guidance ?? pull, 0, MOST_GUIDANCE),
    taken: whole("taken", taken ?? all, 0, all),
  };
}
