"use strict";
// What all pages share: the theme, and how plots look in it.
const data = JSON.parse(document.getElementById("page-data").textContent);
const palette = JSON.parse(document.getElementById("palette").textContent);
const root = document.documentElement;
const hovers = window.matchMedia("(hover: hover)").matches;
const CONFIG = { displayModeBar: false, displaylogo: false, responsive: true, plotlyServerURL: "" }; // nothing leaves
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
    dragmode: hovers ? "zoom" : false, // a finger scrolls the page
    paper_bgcolor: ink("paper"), plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 50, r: 12, t: 8, b: 40 },
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink("ink") },
    hoverlabel: { bgcolor: ink("paper"), bordercolor: ink("line"), font: { color: ink("ink"), size: 12 }, namelength: -1 },
    legend: { orientation: "h", y: -0.16, yanchor: "top", x: 0, font: { size: 12 }, bgcolor: "rgba(0,0,0,0)" },
    ...layout,
  };
  for (const name of ["xaxis", "yaxis"]) out[name] = axis(layout[name]);
  out.shapes = (layout.shapes || []).map((s) => (s.name ? { ...s, fillcolor: ink(s.name) } : s));
  out.annotations = (layout.annotations || []).map((a) => ({ arrowcolor: ink("muted"), font: { size: 11 }, ...a }));
  return out;
}

// A colour of the palette, or a list of them, as it is in the theme.
const toned = (colour) => (Array.isArray(colour) ? colour.map(toned) : (root.dataset.theme === "dark" && palette.onDark[colour]) || colour);

// A trace in the colours of the theme.
function coloured(trace) {
  const { ink: own, regime, colours } = trace.meta || {};
  if (colours) { // of a heat map whose values are places in a list
    const bands = colours.map((colour) => (colour ? toned(colour) : ink("grid")));
    trace.colorscale = bands.flatMap((colour, i) => [[i / bands.length, colour], [(i + 1) / bands.length, colour]]);
  }
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
  saving(div);
  return draw;
}

// Buttons that save what a div shows, named after the page and the panel.
function saving(div) {
  const row = document.createElement("span");
  row.className = "save";
  for (const format of ["png", "svg"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = format.toUpperCase();
    button.title = `save this panel as ${format.toUpperCase()}`;
    const filename = `${document.title} ${div.dataset.panel}`.replace(/[^\w.=-]+/g, "_");
    button.addEventListener("click", () => Plotly.downloadImage(div, { format, filename, scale: format === "png" ? 3 : 1 }));
    row.append(button);
  }
  const head = div.previousElementSibling;
  if (head && head.tagName === "FIGCAPTION") head.append(row);
  else div.before(row);
}

function theme(name) {
  root.dataset.theme = name;
  document.getElementById("theme").textContent = name === "dark" ? "light" : "dark";
  for (const draw of redraws) draw();
}
// What a reader chose is kept, where the browser keeps anything for files.
function kept(name) {
  try {
    if (name) localStorage.setItem("grok theme", name);
    return localStorage.getItem("grok theme");
  } catch {
    return null;
  }
}
const prefers = window.matchMedia("(prefers-color-scheme: dark)");
theme(kept() || (prefers.matches ? "dark" : "light"));
prefers.addEventListener("change", (event) => { if (!kept()) theme(event.matches ? "dark" : "light"); });
document.getElementById("theme").addEventListener("click", () => {
  const other = root.dataset.theme === "dark" ? "light" : "dark";
  kept(other);
  theme(other);
});
