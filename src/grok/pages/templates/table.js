"use strict";
// A table that is sorted by a click on its head and filtered by what is typed and chosen.
const table = document.getElementById("table");
const body = table.tBodies[0];
const heads = [...table.tHead.rows[0].cells];

function valueOf(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (text === "") return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function compared(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

heads.forEach((head, column) => {
  head.querySelector("button").addEventListener("click", () => {
    const descending = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
    rows.sort(([one], [other]) => {
      if (one === null || other === null) return (one === null) - (other === null); // what is missing comes last
      return descending ? compared(other, one) : compared(one, other);
    });
    body.append(...rows.map(([, row]) => row));
  });
});

const find = document.getElementById("find");
const picks = { status: document.getElementById("status"), regime: document.getElementById("regime") };
function filter() {
  const words = find.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const row of body.rows) {
    const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
    const picked = Object.entries(picks).every(([name, pick]) => !pick.value || row.dataset[name] === pick.value);
    row.hidden = !(picked && words.every((word) => text.includes(word)));
    shown += !row.hidden;
  }
  document.getElementById("shown").textContent = `${shown} of ${body.rows.length} runs`;
}
for (const input of [find, picks.status, picks.regime]) input.addEventListener("input", filter);
filter();
