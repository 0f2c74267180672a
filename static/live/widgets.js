/** Labelled controls. */

/**
 * @param {string} label
 * @param {{min: number, max: number, step: number, value: number}} range
 * @param {(value: number, moving: boolean) => void} changed
 */
export function slider(label, range, changed) {
  const row = document.createElement("label");
  const shown = document.createElement("span");
  const input = document.createElement("input");
  Object.assign(input, { type: "range", ...range });
  input.value = String(range.value);
  const show = () => (shown.textContent = Number(input.value).toFixed(1));
  const set = (/** @type {number} */ value) => {
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

/**
 * Hand a file to the visitor.
 * @param {Blob | null} blob
 * @param {string} name
 */
export function save(blob, name) {
  if (!blob) return;
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}
