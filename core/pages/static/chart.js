// Tooltips of charts for fingers and keyboards: the values of a column appear below the chart. Left and right move on.
export function showValues(chart) {
  const columns = [...chart.querySelectorAll(".column")];
  const shown = chart.querySelector("output");
  const svg = chart.querySelector("svg");
  if (!columns.length || !shown) return;
  let place = -1;
  const show = (next) => {
    columns[place]?.classList.remove("chosen");
    place = next;
    columns[place]?.classList.add("chosen");
    shown.textContent = columns[place]?.textContent.replaceAll("\n", " · ") ?? "";
  };
  svg.setAttribute("tabindex", "0");
  svg.addEventListener("pointermove", (event) => {
    const found = columns.indexOf(event.target.closest?.(".column"));
    if (found >= 0) show(found);
  });
  svg.addEventListener("pointerdown", (event) => {
    const found = columns.indexOf(event.target.closest?.(".column"));
    if (found >= 0) show(found);
  });
  svg.addEventListener("pointerleave", () => show(-1));
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(Math.min(Math.max(place < 0 ? columns.length - 1 : place + step, 0), columns.length - 1));
  });
}

for (const chart of document.querySelectorAll("figure.chart")) showValues(chart);
