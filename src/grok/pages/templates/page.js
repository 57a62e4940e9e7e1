"use strict";
// What all pages share: the theme, and how plots look in it.
const data = JSON.parse(document.getElementById("page-data").textContent);
const palette = JSON.parse(document.getElementById("palette").textContent);
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

// A colour of the palette as it is in the theme.
const toned = (colour) => (root.dataset.theme === "dark" && palette.onDark[colour]) || colour;

// A trace in the colours of the theme.
function coloured(trace) {
  const { ink: own, regime } = trace.meta || {};
  if (own) trace.line = { ...trace.line, color: ink("ink") };
  else if (trace.line && trace.line.color) trace.line = { ...trace.line, color: toned(trace.line.color) };
  if (trace.marker && trace.marker.color && !regime) trace.marker = { ...trace.marker, color: toned(trace.marker.color) };
  return trace;
}

// Draw in a div what `make` gives, { data, layout }, now and whenever the theme changes. A panel that cannot be drawn
// says so in its place, and takes no other with it.
function drawn(div, make) {
  const draw = () => {
    try {
      const { data: traces, layout } = make();
      Plotly.react(div, traces.map(coloured), themed(layout), CONFIG);
    } catch (error) {
      div.textContent = "This panel cannot be drawn.";
      console.error(error);
    }
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
