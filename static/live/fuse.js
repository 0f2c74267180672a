/** A program with what can be computed together put together: norms into weights, ReLUs into what they follow. */

/** @typedef {import("./check.js").Operation} Operation */
/** @typedef {import("./check.js").Program} Program */

/**
 * One thing to compute.
 * @typedef {object} Step
 * @property {Operation} operation
 * @property {number[]} inputs operations whose buffers it reads
 * @property {number} output the operation whose buffer it fills
 * @property {Operation[]} norms batch norms to fold into its weights
 * @property {number} [slope] of the LeakyReLU that follows; none: no activation
 * @property {boolean} [upsampled] whether it is a convolution that reads its input enlarged twice
 */

const PRODUCTS = ["linear", "convolution", "transposed_convolution"];
const AFFINE = ["batch_norm", "group_norm", "modulate", "affine", "rescale"];

/**
 * The steps of a program, and for each operation the one whose buffer holds its numbers.
 * @param {Program} program
 * @returns {{steps: Step[], holder: number[]}}
 */
export function fuse(program) {
  const { operations } = program;
  const uses = countUses(program);
  const holder = operations.map((_, i) => i);
  /** @type {Map<number, Step>} */
  const steps = new Map();

  /**
   * The step that alone makes what operation `at` holds, seen through reshapes; none where others read it too.
   * @param {number} at
   * @returns {Step | undefined}
   */
  function maker(at) {
    for (; uses[at] === 1; at = operations[at].inputs?.[0] ?? 0) {
      if (operations[at].op !== "reshape") return steps.get(holder[at]);
    }
    return undefined;
  }

  operations.forEach((operation, i) => {
    const inputs = operation.inputs ?? [];
    const before = inputs.length ? maker(inputs[0]) : undefined;
    const open = before && before.slope === undefined && before.operation.op;
    if (open && operation.op === "batch_norm" && PRODUCTS.includes(open)) before.norms.push(operation);
    else if (open && isLeaky(operation) && [...PRODUCTS, ...AFFINE].includes(open)) before.slope = operation.slope ?? 0;
    else if (operation.op !== "reshape" || !keepsOrder(operations[inputs[0]].shape, operation.shape)) {
      steps.set(i, step(operation, i, inputs, holder, uses, steps));
      return;
    }
    holder[i] = holder[inputs[0]];
  });
  return { steps: [...steps.values()], holder };
}

/**
 * @param {Program} program
 * @returns {number[]}
 */
function countUses({ operations, output }) {
  const uses = operations.map(() => 0);
  for (const { inputs = [] } of operations) for (const at of inputs) uses[at]++;
  uses[output]++;
  return uses;
}

/**
 * @param {Operation} operation
 * @returns {boolean}
 */
function isLeaky({ op }) {
  return op === "relu" || op === "leaky_relu";
}

/**
 * A step of its own; a 3 x 3 convolution takes over the enlargement by two before it.
 * @param {Operation} operation
 * @param {number} output
 * @param {number[]} inputs
 * @param {number[]} holder
 * @param {number[]} uses
 * @param {Map<number, Step>} steps
 * @returns {Step}
 */
function step(operation, output, inputs, holder, uses, steps) {
  const made = { operation, inputs: inputs.map((at) => holder[at]), output, norms: [] };
  const before = steps.get(made.inputs[0]);
  const enlarges = operation.op === "convolution" && uses[inputs[0]] === 1 && before?.operation.op === "upsample";
  const same = before?.operation.shape[1] === operation.shape[1]; // as a 3 x 3 kernel leaves it
  if (!enlarges || before.operation.factor !== 2 || operation.stride !== 1 || operation.padding !== 1 || !same)
    return made;
  steps.delete(made.inputs[0]);
  return { ...made, inputs: before.inputs, upsampled: true };
}

/**
 * Whether a reshape leaves every number in its row: images are rows [place][channel].
 * @param {number[]} one
 * @param {number[]} other
 * @returns {boolean}
 */
function keepsOrder(one, other) {
  const flat = (/** @type {number[]} */ [channels, ...sides]) => channels === 1 || sides.every((side) => side === 1);
  return (flat(one) && flat(other)) || (one.length === other.length && one.every((side, i) => side === other[i]));
}
