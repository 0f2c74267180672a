/** Labelled controls, and the page's parts. */

/**
 * @param {string} name
 * @param {HTMLElement} root
 * @returns {HTMLElement}
 */
export function part(name, root) {
  const made = document.createElement("div");
  made.className = name;
  root.append(made);
  return made;
}

/**
 * @param {string} label
 * @param {{min: number, max: number, step: number, value: number}} range
 * @param {(value: number, moving: boolean) => void} changed
 * @param {(value: number) => string} [text] the value in words
 */
export function slider(label, range, changed, text = (value) => value.toFixed(String(range.step).split(".")[1]?.length)) {
  const row = document.createElement("label");
  const shown = document.createElement("span");
  const input = document.createElement("input");
  Object.assign(input, { type: "range", ...range });
  input.value = String(range.value);
  const show = () => (shown.textContent = text(Number(input.value)));
  const set = (/** @type {number} */ value, most = range.max) => {
    input.max = String(most);
    input.value = String(value);
    show();
  };
  input.oninput = () => {
    show();
    changed(Number(input.value), true);
  };
  input.onchange = () => changed(Number(input.value), false);
  row.append(label, shown, input);
  show();
  return { row, set };
}

/**
 * @param {string} label
 * @param {number[]} values
 * @param {number} value
 * @param {(value: number) => void} changed
 */
export function choice(label, values, value, changed) {
  const row = document.createElement("label");
  const input = document.createElement("select");
  input.append(...values.map((each) => new Option(String(each), String(each), false, each === value)));
  input.onchange = () => changed(Number(input.value));
  row.className = "choice";
  row.append(label, input);
  return row;
}

/**
 * @param {string} text
 * @param {string} help
 * @param {() => void} clicked
 */
export function button(text, help, clicked) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: text, title: help, onclick: clicked });
  return made;
}
