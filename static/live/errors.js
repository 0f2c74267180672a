/** What is wrong with a program, its weights or a request, in one line fit to show to a visitor. */
export class LiveError extends Error {
  /**
   * @param {string} message
   */
  constructor(message) {
    super(message);
    this.name = "LiveError";
  }
}

/**
 * Any error as one line for a visitor, such as a browser's own where memory ends.
 * @param {unknown} error
 * @returns {LiveError}
 */
export function told(error) {
  return error instanceof LiveError ? error : new LiveError(`the engine failed: ${reason(error)}`);
}

/**
 * The first line of what an error says.
 * @param {unknown} error
 * @returns {string}
 */
export function reason(error) {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}

/**
 * A wrong value as a message quotes it, in one line that is not flooded.
 * @param {unknown} value
 * @returns {string}
 */
export function shown(value) {
  let text;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length <= 60 ? text : `${text.slice(0, 60)}...`;
}

/**
 * The value, or a LiveError, naming it, unless it is a whole number in [low, high].
 * @param {string} name
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 * @returns {number}
 */
export function whole(name, value, low, high) {
  if (typeof value === "number" && Number.isInteger(value) && low <= value && value <= high) return value;
  throw new LiveError(`${name} must be a whole number from ${low} to ${high}, not ${shown(value)}`);
}

/**
 * The value, or a LiveError, naming it, unless it is a number in [low, high].
 * @param {string} name
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 * @returns {number}
 */
export function number(name, value, low, high) {
  if (typeof value === "number" && low <= value && value <= high) return value;
  throw new LiveError(`${name} must be a number from ${low} to ${high}, not ${shown(value)}`);
}
