"use strict";
// The pictures of a sweep, drawn from its runs by what is picked above each.
const { runs, settings, medians, regimes, measures, groupings } = data;
const numbered = new Map(runs.map((run) => [run.point, run]));
const many = Object.keys(data.beside).length > 0;
const names = Object.keys(settings);
const COLOURS = palette.categories;
const state = { x: names[0], y: names[1], event: "generalized", setting: names[0], metric: document.querySelector("[data-pick=metric]").value, grouping: Object.keys(groupings)[0], count: names[0], axis: "log", runs: !many, bands: true };

const ended = (run) => run.status === "finished";
// Where runs of one cell lie about its middle.
const spread = (i, count, width) => (count < 2 ? 0 : (i / (count - 1) - 0.5) * width);
function grouped(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) || []), item]);
  return groups;
}
const where = (setting, run) => (setting ? run.places[setting] : 0);
function category(setting) {
  if (!setting) return { tickvals: [], range: [-0.5, 0.5], showgrid: false };
  const values = settings[setting];
  return { tickvals: values.map((_, i) => i), ticktext: values.map((v) => escaped(v)), range: [-0.5, values.length - 0.5], title: { text: escaped(setting) }, showgrid: false };
}
function escaped(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
function said(run) {
  const own = names.map((name) => `${escaped(name)} ${run.settings[name]}`).join(", ");
  return `run ${String(run.point).padStart(3, "0")}${own ? `: ${own}` : ""}, ${run.seeds}<br>${run.regime === "no run" ? "" : `${run.regime}, `}${run.status}`;
}
// Marks of runs, a legend entry for each regime.
function marks(list, place, size, more = () => "") {
  return Object.keys(regimes).filter((regime) => list.some((run) => run.regime === regime)).map((regime) => {
    const own = list.filter((run) => run.regime === regime);
    return {
      type: "scatter", mode: "markers", name: regime, meta: { regime: true }, x: own.map((run) => place(run)[0]), y: own.map((run) => place(run)[1]),
      text: own.map((run) => said(run) + more(run)), hovertemplate: "%{text}<extra></extra>", customdata: own.map((run) => run.page),
      marker: { size, color: regimes[regime], symbol: own.map((run) => palette.marks[regime] + (ended(run) || regime === "no run" ? "" : "-open")), line: { width: 1, color: ended(own[0]) ? ink("muted") : regimes[regime] } },
    };
  });
}

// Combinations of the settings other than those on the axes, in their order.
function others(...axes) {
  const rest = names.filter((name) => !axes.includes(name));
  const kind = (run) => rest.map((name) => `${escaped(name)} = ${run.settings[name]}`).join(", ");
  const found = [...grouped([...runs].sort((a, b) => rest.map((n) => where(n, a) - where(n, b)).find((d) => d) || 0), kind).keys()];
  return { kind, found };
}

// A cell for each pair of values; where a few combinations of other settings are left, one block of cells for each.
function diagram() {
  const { kind, found } = others(state.x, state.y);
  const columns = state.x ? settings[state.x].length : 1, rows = state.y ? settings[state.y].length : 1;
  const blocks = found.length <= (narrow() ? 2 : 6) ? found : [null];
  const left = (block) => block * (columns + 0.4);
  const block = (run) => Math.max(0, blocks.indexOf(kind(run)));
  const corner = (run) => [left(block(run)) + where(state.x, run), where(state.y, run)];
  const cells = grouped(runs, (run) => String(corner(run)));
  const most = Math.max(...[...cells.values()].map((cell) => cell.length));
  const across = most <= 5 ? most : Math.ceil(Math.sqrt(most * 2));
  const place = (run) => {
    const [x, y] = corner(run);
    const cell = cells.get(String([x, y]));
    const i = cell.indexOf(run), row = Math.floor(i / across), beside = Math.min(cell.length, across);
    return [x + spread(i % across, beside, Math.min(0.7, 0.16 * (beside - 1) * Math.max(1, blocks.length / 2))), y - spread(row, Math.ceil(cell.length / across), 0.6)];
  };
  const rule = (x0, x1, y0, y1) => ({ type: "line", layer: "below", line: { width: 1, color: ink("line") }, x0, x1, y0, y1 });
  const shapes = blocks.flatMap((_, b) => [
    ...Array.from({ length: columns + 1 }, (_, i) => rule(left(b) + i - 0.5, left(b) + i - 0.5, -0.5, rows - 0.5)),
    ...Array.from({ length: rows + 1 }, (_, i) => rule(left(b) - 0.5, left(b) + columns - 0.5, i - 0.5, i - 0.5)),
  ]);
  const annotations = blocks.filter((text) => text).map((text, b) => ({ text, x: left(b) + (columns - 1) / 2, xref: "x", y: 1, yref: "paper", yanchor: "bottom", showarrow: false, font: { size: 12, color: ink("muted") } }));
  const x = category(state.x), plain = { ticks: "", showline: false };
  const ticks = blocks.flatMap((_, b) => x.tickvals.map((value) => left(b) + value)), text = blocks.flatMap(() => x.ticktext || []);
  const xaxis = { ...x, ...plain, tickvals: ticks, ticktext: text, range: [-0.52, left(blocks.length - 1) + columns - 0.48] };
  const yaxis = { ...category(state.y), ...plain, range: [-0.52, rows - 0.48] };
  return { data: marks(runs, place, narrow() ? 9 : 14), layout: { xaxis, yaxis, shapes, annotations, margin: { l: 50, r: 12, t: 24, b: 40 }, showlegend: true, hovermode: "closest" } };
}

function events() {
  const { kind, found } = others(state.setting);
  const width = 0.8 / found.length;
  const colour = (name) => (found.length > COLOURS.length ? ink("muted") : COLOURS[found.indexOf(name)]);
  const middle = (name) => (found.indexOf(name) - (found.length - 1) / 2) * width;
  const time = (run) => run.events[state.event];
  const known = runs.filter(time);
  const cells = grouped(known, (run) => run.combination);
  const place = (run) => {
    const cell = cells.get(run.combination);
    return where(state.setting, run) + middle(kind(run)) + spread(cell.indexOf(run), cell.length, width * 0.5);
  };
  const traces = [];
  for (const name of found) {
    const own = known.filter((run) => kind(run) === name);
    const legend = { name: name || "runs", legendgroup: name || "runs", showlegend: false };
    const bars = { x: [], y: [], text: [] };
    for (const [combination, list] of grouped(own, (run) => run.combination)) {
      const { step, words } = medians[state.event][combination];
      if (step === null) continue;
      const at = where(state.setting, list[0]) + middle(name);
      bars.x.push(at - width * 0.36, at + width * 0.36, null);
      bars.y.push(step, step, null);
      bars.text.push(...Array(3).fill(`${combination}<br>${words}`));
    }
    traces.push({ type: "scatter", mode: "lines", ...legend, ...bars, line: { color: colour(name), width: 3 }, hovertemplate: "%{text}<extra></extra>", meta: { median: true } });
    for (const censored of [false, true]) {
      const list = own.filter((run) => time(run).censored === censored);
      traces.push({
        type: "scatter", mode: "markers", ...legend, x: list.map(place), y: list.map((run) => time(run).step),
        marker: { color: colour(name), ...(censored ? { size: 10, symbol: "triangle-up-open", line: { width: 1.6 } } : { size: 8, opacity: 0.85 }) },
        text: list.map((run) => `${said(run)}<br>${time(run).words}`), hovertemplate: "%{text}<extra></extra>", meta: { censored },
      });
    }
  }
  for (const name of found) traces.push({ type: "scatter", mode: "markers", name: name || "runs", legendgroup: name || "runs", x: [null], y: [null], marker: { color: colour(name), size: 8 }, hoverinfo: "skip", meta: { legend: true } });
  const { axis } = data.events.find((event) => event.name === state.event);
  return { data: traces, layout: { xaxis: category(state.setting), yaxis: axis, showlegend: found.length > 1 && found.length <= COLOURS.length, hovermode: "closest" } };
}

function curve() {
  const metric = data.metrics.find((one) => one.name === state.metric);
  const groups = Object.entries(groupings[state.grouping]);
  const traces = [];
  const measure = measures[state.metric];
  if (!measure) return asked(state.metric);
  groups.forEach(([name, points], i) => {
    const colour = regimes[name] || (groups.length > COLOURS.length ? `hsla(${(360 * i) / groups.length}, 60%, 45%, 1)` : COLOURS[i]);
    const label = escaped(name);
    const band = state.bands && (measure.bands[state.grouping] || {})[label];
    if (band && band.runs > 1) {
      traces.push({ type: "scatter", mode: "lines", x: band.x, y: band.low, line: { width: 0 }, legendgroup: label, showlegend: false, hoverinfo: "skip", meta: { edge: true } });
      traces.push({ type: "scatter", mode: "lines", x: band.x, y: band.high, line: { width: 0 }, fill: "tonexty", fillcolor: colour.startsWith("#") ? `${colour}2e` : colour.replace(/ 1\)$/, " 0.18)"), legendgroup: label, showlegend: false, hoverinfo: "skip", meta: { edge: true } });
    }
    if (state.runs) for (const point of points) {
      const line = measure.curves[point];
      if (!line) continue;
      const run = numbered.get(point);
      traces.push({ type: "scatter", mode: "lines", x: line.x, y: line.y, name: label, legendgroup: label, showlegend: false, line: { width: 0.9, color: colour }, opacity: state.bands ? 0.55 : 0.9, text: said(run), hovertemplate: `${said(run)}<br>step %{x:,.0f}: %{y:.3~g}<extra></extra>`, meta: { point } });
    }
    if (band) traces.push({ type: "scatter", mode: "lines", x: band.x, y: band.median, name: label, legendgroup: label, line: { width: 2.6, color: colour }, hovertemplate: `${label}<br>median of ${band.runs}<br>step %{x:,.0f}: %{y:.3~g}<extra></extra>`, meta: { median: true } });
    else traces.push({ type: "scatter", mode: "lines", x: [null], y: [null], name: label, legendgroup: label, line: { width: 2.6, color: colour } });
  });
  return { data: traces, layout: { xaxis: { ...(state.axis === "log" ? data.steps : { type: "linear", tickformat: ",d" }), title: { text: "step" } }, yaxis: metric.axis, showlegend: groups.length <= 2 * COLOURS.length, hovermode: "closest" } };
}

// Curves of a sweep of many runs that lie in a file beside the page, until they are there.
const asking = {};
function asked(name) {
  if (!asking[name]) {
    const script = document.createElement("script");
    script.src = data.beside[name];
    script.onerror = () => { asking[name] = "missing"; draws.curves(); };
    asking[name] = "asked";
    document.head.append(script);
  }
  const text = asking[name] === "missing" ? `These curves are in ${escaped(data.beside[name])}, which must lie beside this page.` : "reading…";
  const hidden = { visible: false };
  return { data: [], layout: { xaxis: hidden, yaxis: hidden, annotations: [{ text, x: 0.5, y: 0.5, xref: "paper", yref: "paper", showarrow: false, font: { size: 12, color: ink("muted") } }] } };
}
function received(name, measure) {
  measures[name] = measure;
  draws.curves();
}

function count() {
  const known = runs.filter((run) => run.count !== null);
  const cells = grouped(known, (run) => `${where(state.count, run)},${run.count}`);
  const place = (run) => {
    const cell = cells.get(`${where(state.count, run)},${run.count}`);
    return [where(state.count, run) + spread(cell.indexOf(run), cell.length, Math.min(0.7, 0.08 * cell.length)), run.count];
  };
  const traces = marks(known, place, 11, (run) => `<br>${run.key_frequencies ? `key frequencies ${run.key_frequencies}` : "no key frequencies"}`);
  return { data: traces, layout: { xaxis: category(state.count), yaxis: { title: { text: "key frequencies" }, rangemode: "tozero", dtick: Math.max(1, Math.ceil(Math.max(...known.map((run) => run.count)) / 8)) }, showlegend: true, hovermode: "closest" } };
}

// Every run as one curve of spike and waves; the mark is where it ended.
function portraits() {
  const { curves: spikes } = measures["progress/memorization_spike"] || {}, { curves: waves } = measures["progress/circuit_waves"] || {};
  const drawn = runs.filter((run) => data.ends[run.point]);
  const traces = (many ? [] : drawn).map((run) => ({
    type: "scatter", mode: "lines", x: spikes[run.point].y, y: waves[run.point].y, legendgroup: run.regime, showlegend: false, line: { width: 1, color: regimes[run.regime] },
    hovertemplate: `${said(run)}<br>spike %{x:.3~g}, waves %{y:.3~g}<extra></extra>`, meta: { point: run.point },
  }));
  const ends = marks(drawn, (run) => data.ends[run.point], 10).map((trace) => ({ ...trace, legendgroup: trace.name }));
  const axis = (name) => ({ title: { text: data.metrics.find((one) => one.name === name).axis.title.text }, zeroline: true, zerolinecolor: ink("muted") });
  return { data: [...traces, ...ends], layout: { xaxis: axis("progress/memorization_spike"), yaxis: axis("progress/circuit_waves"), showlegend: true, hovermode: "closest" } };
}

const makers = { diagram, events, curves: curve, count, portraits };
const draws = {};
for (const div of document.querySelectorAll("[data-draw]")) {
  draws[div.dataset.draw] = drawn(div, makers[div.dataset.draw]);
  div.on("plotly_click", ({ points }) => { const page = points[0].customdata; if (page) window.location.href = page; });
}
const all = () => Object.values(draws).forEach((draw) => draw());
for (const pick of document.querySelectorAll("[data-pick]")) {
  pick.addEventListener("input", () => { state[pick.dataset.pick] = pick.value; all(); });
}
for (const box of document.querySelectorAll("[data-show]")) {
  box.checked = state[box.dataset.show];
  box.addEventListener("change", () => { state[box.dataset.show] = box.checked; all(); });
}
// A column of the table by choice.
const choice = document.getElementById("choice");
function column() {
  document.getElementById("chosen").textContent = choice.selectedOptions[0].text;
  for (const row of body.rows) {
    const value = data.finals[row.dataset.point][choice.value], cell = row.querySelector(".chosen");
    cell.dataset.value = value ?? "";
    cell.textContent = value === undefined ? "" : value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2).replace(/e([+-])(\d)$/, "e$10$2") : value.toLocaleString("en", { maximumSignificantDigits: 4 });
  }
}
if (choice) {
  choice.addEventListener("input", column);
  column();
}
const scales = [...document.querySelectorAll("[data-axis]")];
for (const button of scales) {
  button.addEventListener("click", () => {
    state.axis = button.dataset.axis;
    for (const other of scales) other.setAttribute("aria-pressed", String(other === button));
    all();
  });
}
