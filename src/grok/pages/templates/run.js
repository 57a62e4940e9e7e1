"use strict";
// The page of one run: panels over the steps, and circles at one of them.
const state = { axis: document.querySelector("[data-axis][aria-pressed=true]").dataset.axis, families: {}, zoom: null };

let draws = 0;

// --- panels
const boxes = [...document.querySelectorAll("[data-family]")];
const final = boxes.some((box) => box.dataset.family === "final frequencies");
for (const box of boxes) {
  box.checked = box.dataset.family !== "current frequencies" || !final;
  state.families[box.dataset.family] = box.checked;
}

function panel(div) {
  const { data: traces, layout } = copied(data.figures[div.dataset.figure]);
  for (const trace of traces) {
    const family = trace.meta && trace.meta.family;
    if (family) trace.visible = state.families[family];
  }
  const scale = state.axis === "log" ? copied(data.steps) : { type: "linear", tickformat: ",d", nticks: narrow() ? 5 : undefined };
  layout.xaxis = { ...scale, ...(state.zoom && { range: [...state.zoom] }), title: { text: "step" }, hoverformat: ",d", uirevision: ++draws };
  layout.uirevision = state.axis;
  if (div.classList.contains("tall")) {
    layout.annotations = phaseNames(layout.shapes || [], div.clientWidth - 62); // between the margins
    layout.margin = { l: 50, r: 12, t: 24, b: 40 };
  } else if (layout.showlegend) {
    layout.legend = { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, bgcolor: "rgba(0,0,0,0)" }; // below is no room
  }
  if (traces[0].type === "heatmap") {
    const scaled = traces[0].showscale !== false;
    layout.margin = { l: 50, r: narrow() || !scaled ? 40 : 110, t: 8, b: narrow() && scaled ? 90 : 40 };
    if (narrow() && scaled) Object.assign(traces[0].colorbar, { orientation: "h", x: 0.5, y: -0.18, yanchor: "top", title: { text: "share" } });
  }
  return { data: traces, layout };
}

// The names of the phases above those that are wide enough to bear them.
function phaseNames(shapes, width) {
  if (!shapes.length) return [];
  const at = (x) => (state.axis === "log" ? Math.log10(x) : x);
  const [first, last] = state.axis === "log" && data.steps.range ? data.steps.range : [0, at(shapes.at(-1).x1)];
  return shapes.map(({ name, x0, x1 }) => ({ text: data.phases[name], left: Math.max(at(x0), first), right: at(x1) }))
    .filter(({ text, left, right }) => ((right - left) / (last - first)) * width > 6.5 * text.length)
    .map(({ text, left, right }) => ({ text, x: (left + right) / 2, xref: "x", y: 1, yref: "paper", yanchor: "bottom", showarrow: false, font: { size: 12, color: ink("muted") } }));
}

// (`uirevision` keeps a reader's zoom of the vertical axis; the steps are kept here, for all panels.)
const divs = [...document.querySelectorAll("[data-figure]")];
const panels = divs.map((div) => drawn(div, () => panel(div)));
const redraw = () => panels.forEach((draw) => draw());
for (const box of boxes) {
  box.addEventListener("change", () => { state.families[box.dataset.family] = box.checked; redraw(); });
}
const scales = [...document.querySelectorAll("[data-axis]")];
for (const button of scales) {
  button.addEventListener("click", () => {
    state.axis = button.dataset.axis;
    for (const other of scales) other.setAttribute("aria-pressed", String(other === button));
    zoom(null);
  });
}

// All panels over the steps show the same of them.
const reset = document.getElementById("reset");
function zoom(range) {
  state.zoom = range;
  reset.hidden = !range;
  redraw();
}
for (const div of divs) {
  if (div.on) div.on("plotly_relayout", (event) => { // not drawn by us: by the reader
    if (event["xaxis.autorange"]) zoom(null);
    else if ("xaxis.range[0]" in event) zoom([event["xaxis.range[0]"], event["xaxis.range[1]"]]);
  });
}
reset.addEventListener("click", () => zoom(null));

// --- what is not over the steps
for (const div of document.querySelectorAll("[data-still]")) {
  drawn(div, () => {
    const { data: traces, layout } = copied(data.figures[div.dataset.still]);
    return { data: traces, layout };
  });
}

// --- circles
if (data.circles) {
  const { steps, frequencies, p, points } = data.circles;
  const values = new Float32Array(Uint8Array.from(atob(points), (c) => c.charCodeAt(0)).buffer);
  const extent = 1.08 * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const slider = document.getElementById("circle-slider");
  const wheel = palette.cycle.map((colour, i) => [i / (palette.cycle.length - 1), colour]);

  const circle = (i) => () => {
    const k = frequencies[i];
    const at = (axis, x) => values[((Number(slider.value) * frequencies.length + i) * 2 + axis) * p + x];
    const order = Array.from({ length: p }, (_, x) => x).sort((a, b) => ((k * a) % p) - ((k * b) % p));
    order.push(order[0]);
    const axis = { range: [-extent, extent], showgrid: false, showticklabels: false, ticks: "", zeroline: false, fixedrange: true, showline: false };
    return {
      data: [{
        x: order.map((x) => at(0, x)), y: order.map((x) => at(1, x)), text: order.map(String), mode: "lines+markers", type: "scatter",
        marker: { size: narrow() ? 4 : 5, color: order.map((x) => (k * x) % p), colorscale: wheel, cmin: 0, cmax: p },
        line: { width: 0.6, color: ink("grid") }, hovertemplate: "number %{text}<extra></extra>",
      }],
      layout: { xaxis: axis, yaxis: { ...axis, scaleanchor: "x" }, margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, hovermode: "closest" },
    };
  };
  const draws = [...document.querySelectorAll("[data-circle]")].map((div) => drawn(div, circle(Number(div.dataset.circle))));
  const show = () => {
    document.getElementById("circle-step").textContent = steps[Number(slider.value)].toLocaleString("en");
    draws.forEach((draw) => draw());
  };
  slider.addEventListener("input", show);
  show();
}
