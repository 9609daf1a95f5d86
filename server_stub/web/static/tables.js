// Tables: one that is wider than its room is scrolled by the keyboard, too; one with data-sort sorts by its headings.
"use strict";
const SCROLLING = "table.dense, .charts figure";

function reach(table) {
  const scrolls = table.scrollWidth > table.clientWidth + 1;
  if (scrolls) table.tabIndex = 0;
  else table.removeAttribute("tabindex");
}

function value(line, at) {
  const cell = line.cells[at];
  const text = cell.dataset.value || cell.textContent.trim();
  const number = Number.parseFloat(text.replace(/[\s,%]/g, ""));
  return cell.classList.contains("number") && !cell.dataset.value ? (Number.isNaN(number) ? -Infinity : number) : text;
}

function sort(table, head) {
  const down = head.ariaSort === "ascending";
  const at = head.cellIndex;
  const order = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const lines = [...table.tBodies[0].rows].sort((one, other) => {
    const [a, b] = [value(one, at), value(other, at)];
    const found = typeof a === "number" && typeof b === "number" ? (a === b ? 0 : a < b ? -1 : 1) : order.compare(a, b);
    return down ? -found : found;
  });
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  table.tBodies[0].append(...lines);
}

function sortable(table) {
  for (const head of table.tHead.rows[0].cells) {
    if (!head.textContent.trim() || head.querySelector(".unseen")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}

for (const table of document.querySelectorAll(SCROLLING)) reach(table);
window.addEventListener("resize", () => document.querySelectorAll(SCROLLING).forEach(reach));
for (const table of document.querySelectorAll("table[data-sort]")) sortable(table);
