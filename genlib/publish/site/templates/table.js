/** The leaderboard, sorted by the column whose name is pressed; what has no figure comes last. */

const table = /** @type {HTMLTableElement} */ (document.getElementById("board"));
const heads = Array.from(table.tHead?.rows[0].cells ?? []);

heads.forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.onclick = () => {
    const usual = head.dataset.first ?? "ascending";
    const other = usual === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === usual ? other : usual;
    for (const each of heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    sort(column, order === "ascending" ? 1 : -1);
  };
});

/**
 * @param {number} column
 * @param {1 | -1} sign
 */
function sort(column, sign) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, cell: row.cells[column] }));
  const lacking = rows.filter(({ cell }) => !cell.textContent);
  const rest = rows.filter(({ cell }) => cell.textContent);
  rest.sort((a, b) => sign * compare(a.cell, b.cell));
  body.append(...[...rest, ...lacking].map(({ row }) => row));
}

/**
 * @param {HTMLTableCellElement} one
 * @param {HTMLTableCellElement} other
 */
function compare(one, other) {
  const [a, b] = [one, other].map((cell) => cell.dataset.value);
  return a && b ? Number(a) - Number(b) : (one.textContent ?? "").localeCompare(other.textContent ?? "");
}
