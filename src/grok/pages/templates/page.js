"use strict";
// What all pages share: the theme, and how plots look in it.
const data = JSON.parse(document.getElementById("page-data").textContent);
const root = document.documentElement;
const CONFIG = {
  displayModeBar: window.matchMedia("(hover: hover)").matches ? "hover" : false, // in the way where nothing hovers
  displaylogo: false, responsive: true,
  modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"], plotlyServerURL: "", // nothing leaves
};
const redraws = []; // called when the theme changes

const narrow = () => window.innerWidth < 600;
const ink = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const copied = (value) => structuredClone(value);

// A layout in the colours and letters of the page.
function themed(layout) {
  const axis = (own = {}) => ({
    gridcolor: ink("grid"), linecolor: ink("muted"), zeroline: false, automargin: true, tickcolor: ink("muted"), ticks: "outside",
    ticklen: 4, griddash: "dot", gridwidth: 1, ...own, title: { standoff: 8, font: { size: 12, color: ink("muted") }, ...own.title },
  });
  const out = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 50, r: 12, t: 8, b: 40 },
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink("ink") },
    hoverlabel: { bgcolor: ink("paper"), bordercolor: ink("line"), font: { color: ink("ink"), size: 12 }, namelength: -1 },
    legend: { orientation: "h", y: -0.16, yanchor: "top", x: 0, font: { size: 12 }, bgcolor: "rgba(0,0,0,0)" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("muted"), activecolor: ink("ink") },
    ...layout,
  };
  for (const name of ["xaxis", "yaxis"]) out[name] = axis(layout[name]);
  out.shapes = (layout.shapes || []).map((s) => (s.name ? { ...s, fillcolor: ink(s.name) } : s));
  out.annotations = (layout.annotations || []).map((a) => ({ arrowcolor: ink("muted"), font: { size: 11 }, ...a }));
  return out;
}

// Colours that are too dark to be seen on black, and one that must stay apart from what they become.
const LIGHTER = { "#0072B2": "#3b93e0", "#D55E00": "#f28b3d", "#009E73": "#2cc39a", "#CC79A7": "#e09ac2", "#56B4E9": "#aee0ff" };
const toned = (colour) => (root.dataset.theme === "dark" && LIGHTER[colour]) || colour;

// Draw `traces` in a div, now and whenever the theme changes; `make` gives { data, layout }.
function drawn(div, make) {
  const draw = () => {
    const { data: traces, layout } = make();
    for (const trace of traces) {
      if (trace.meta && trace.meta.ink) trace.line = { ...trace.line, color: ink("ink") };
      else if (trace.line && trace.line.color) trace.line = { ...trace.line, color: toned(trace.line.color) };
      if (trace.marker && trace.marker.color && !(trace.meta && trace.meta.regime)) trace.marker = { ...trace.marker, color: toned(trace.marker.color) };
    }
    return Plotly.react(div, traces, themed(layout), CONFIG);
  };
  redraws.push(draw);
  draw();
  return draw;
}

function theme(name) {
  root.dataset.theme = name;
  document.getElementById("theme").textContent = name === "dark" ? "light" : "dark";
  for (const draw of redraws) draw();
}
const prefers = window.matchMedia("(prefers-color-scheme: dark)");
theme(prefers.matches ? "dark" : "light");
prefers.addEventListener("change", (event) => theme(event.matches ? "dark" : "light"));
document.getElementById("theme").addEventListener("click", () => theme(root.dataset.theme === "dark" ? "light" : "dark"));
