/** Whether this engine can run a program with its weights: checked before anything is computed. */

import { LiveError, number, shown, whole } from "./errors.js";
import { Asked, RULES } from "./rules.js";
import { same, size } from "./shapes.js";

/** @typedef {import("./safetensors.js").Tensor} Tensor */

/**
 * One operation of a program (genlib/program.py): the earlier operations it reads, the shape it gives, and by its kind
 * names of tensors and numbers.
 * @typedef {{op: string, inputs?: number[], shape: number[], [field: string]: any}} Operation
 */

/**
 * @typedef {object} Program
 * @property {number} format
 * @property {Operation[]} operations
 * @property {number} output
 * @property {{steps: number, solver: string, guidance: number}} [integrate]
 * @property {{name: string, step: number[]}[]} [directions]
 * @property {{sha256: string, bytes: number}} [weights]
 * @property {string} [name]
 * @property {string} [family]
 */

export const FORMAT = 1;
export const SIDE = 28;
export const SOLVERS = ["euler", "heun"];
export const MOST_STEPS = 1000;
export const MOST_GUIDANCE = 20;
const MOST_OPERATIONS = 1000;
const MOST_NUMBERS = 2 ** 20; // in a buffer, a sample
const MOST_PRODUCTS = 2e9; // in a program, a sample

/**
 * The program itself, or a LiveError that says what is wrong with it or with its weights.
 * @param {any} program parsed JSON
 * @param {Map<string, Tensor>} tensors
 * @returns {Program}
 */
export function checkProgram(program, tensors) {
  if (!program || typeof program !== "object") throw new LiveError("the program is not a JSON object");
  if (program.format !== FORMAT)
    throw new LiveError(`the program is of format ${shown(program.format)}; this engine reads ${FORMAT}`);
  const { operations } = program;
  if (!Array.isArray(operations)) throw new LiveError("the program has no list of operations");
  whole("the number of operations", operations.length, 1, MOST_OPERATIONS);
  let products = 0;
  operations.forEach((operation, i) => (products += checkOperation(operations, i, tensors)));
  if (!(products <= MOST_PRODUCTS))
    throw new LiveError(`the program takes ${products} products a picture; at most ${MOST_PRODUCTS}`);
  whole("the output", program.output, 0, operations.length - 1);
  if (!same(operations[program.output].shape, [1, SIDE, SIDE]))
    throw new LiveError(
      `the output must be an image [1,${SIDE},${SIDE}], not ${shown(operations[program.output].shape)}`,
    );
  if (operations.filter(({ op }) => op === "latent").length !== 1)
    throw new LiveError("the program must have one latent");
  for (const kind of ["classes", "time"]) {
    if (operations.filter(({ op }) => op === kind).length > 1)
      throw new LiveError(`the program must have at most one input ${kind}`);
  }
  if (program.integrate !== undefined) checkIntegration(program);
  checkDirections(program);
  return program;
}

/**
 * The products of one operation, once it is checked.
 * @param {any[]} operations
 * @param {number} i
 * @param {Map<string, Tensor>} tensors
 * @returns {number}
 */
function checkOperation(operations, i, tensors) {
  const operation = operations[i];
  const rule = Object.hasOwn(RULES, String(operation?.op)) ? RULES[operation.op] : undefined;
  if (!rule)
    throw new LiveError(
      `operation ${i} is of an unknown kind, ${shown(operation?.op)}: the program is for another version`,
    );
  const inputs = operation.inputs ?? [];
  const { shape } = operation;
  const known =
    Array.isArray(inputs) &&
    inputs.length === rule[0] &&
    inputs.every((at) => Number.isInteger(at) && at >= 0 && at < i);
  if (!known)
    throw new LiveError(
      `operation ${i}, ${operation.op}, must read ${rule[0]} earlier ones, not ${shown(operation.inputs)}`,
    );
  const sides =
    Array.isArray(shape) && [1, 3].includes(shape.length) && shape.every((side) => Number.isInteger(side) && side > 0);
  if (!sides || size(shape) > MOST_NUMBERS)
    throw new LiveError(`operation ${i}, ${operation.op}, has no shape this engine can hold: ${shown(shape)}`);
  const asked = new Asked(
    operation,
    inputs.map((at) => operations[at].shape),
    tensors,
  );
  const found = rule[1](asked);
  if (!same(found, shape))
    throw new LiveError(`operation ${i}, ${operation.op}, gives shape ${shown(found)}, not ${shown(shape)}`);
  return asked.products;
}

/**
 * @param {Program} program
 */
function checkIntegration(program) {
  const { steps, solver, guidance } = program.integrate ?? {};
  whole("steps", steps, 1, MOST_STEPS);
  number("guidance", guidance, 0, MOST_GUIDANCE);
  if (!SOLVERS.includes(String(solver)))
    throw new LiveError(`solver must be ${SOLVERS.join(" or ")}, not ${shown(solver)}`);
  const latent = program.operations.find(({ op }) => op === "latent");
  if (!same(latent?.shape ?? [], [1, SIDE, SIDE]))
    throw new LiveError("a program that integrates must have an image as its latent");
}

/**
 * @param {Program} program
 */
function checkDirections(program) {
  const { directions = [] } = program;
  const latent = program.operations.find(({ op }) => op === "latent");
  const length = size(latent?.shape ?? []);
  const whole =
    Array.isArray(directions) &&
    directions.every(
      ({ name, step }) =>
        typeof name === "string" && Array.isArray(step) && step.length === length && step.every(Number.isFinite),
    );
  if (!whole) throw new LiveError(`directions must have a name each and a step of ${length} numbers`);
}
