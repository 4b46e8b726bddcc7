// Charts: drawn when they come near the screen, redrawn in the other theme, and all drawn before printing.
const payload = JSON.parse(document.getElementById('report-data').textContent);
const { model } = payload;
const CONFIG = { displayModeBar: false, displaylogo: false, responsive: true, showSendToCloud: false };
const AROUND_PX = 92; // legend and axis, as in reports/plotting/case_rows.py
const plots = [...document.querySelectorAll('.plot')];
plots.forEach((plot) => { plot.style.height = `${plot.dataset.height}px`; }); // the page's policy allows no style attribute

const theme = () => document.documentElement.dataset.theme;

// Points know their case by its key; its name is filled in here for the pointer. reports/escape.py escapes the same.
function escapeLabel(name) {
  const plain = name.replace(/[\u0000-\u001f\u007f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, '');
  const cut = plain.length > 200 ? `${plain.slice(0, 199)}…` : plain;
  return cut.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('%{', '% {');
}

function nameCases(trace) {
  if (trace.hovertemplate && trace.meta && trace.meta.cases) {
    trace.hovertext = trace.meta.cases.map((key) => escapeLabel(model.cases[key].full_name));
  }
}

// The width of the widest row label in pixels; a label has two lines.
function widestLabel(labels) {
  const pen = document.createElement('canvas').getContext('2d');
  const { family, size } = payload.templates.light.layout.font;
  return Math.max(...labels.flatMap((label) => label.split('<br>').map((line, i) => {
    pen.font = `${i ? 10 : size}px ${family}`;
    return pen.measureText(line.replace(/<[^>]*>/g, '')).width;
  })));
}

// The rows of a tall chart between two places of its vertical axis; the first slice has the legend of all.
// All slices leave the same width for labels, and their axes have one range: equal values have equal lengths in all.
function slice({ data, layout }, from, to, width) {
  const inside = (y) => y >= from && y < to;
  const isFirst = from === layout.yaxis.range[1];
  const traces = data.map((trace) => {
    const kept = [];
    let lastKept = false;
    trace.y.forEach((y, i) => { lastKept = y === null ? lastKept : inside(y); if (lastKept) kept.push(i); });
    const cut = (value) => {
      if (Array.isArray(value)) return value.length === trace.y.length ? kept.map((i) => value[i]) : value;
      return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cut(item)])) : value;
    };
    return kept.length || !isFirst ? cut(trace) : { ...trace, x: [null], y: [null], meta: {} };
  });
  const rows = layout.yaxis.tickvals.flatMap((place, i) => (inside(place) ? [i] : []));
  const yaxis = {
    ...layout.yaxis, range: [to, from], automargin: false,
    tickvals: rows.map((i) => layout.yaxis.tickvals[i]), ticktext: rows.map((i) => layout.yaxis.ticktext[i]),
  };
  const margin = { ...layout.margin, l: Math.min(widestLabel(layout.yaxis.ticktext) + 10, 0.75 * width), r: 24 };
  const xaxis = { ...layout.xaxis, automargin: 'height' };
  return {
    data: traces.filter((trace) => trace.y.length),
    layout: { ...layout, margin, xaxis, yaxis, showlegend: isFirst && layout.showlegend !== false },
  };
}

// Tall charts have their axis on top too, so that their first rows can be read before their foot is on the screen. On a
// narrow screen the legend has one line per entry there, and ticks may be rotated.
const TALL = 700;
const NARROW = 480;
function withTopAxis({ data, layout }, height, width) {
  if (height < TALL || width < NARROW || !layout.yaxis.tickvals || layout.yaxis.type === 'log' || layout.xaxis2 || layout.yaxis2) return { data, layout };
  const xaxis2 = { ...layout.xaxis, title: { text: '' }, side: 'top', overlaying: 'x', matches: 'x', showgrid: false, zeroline: false };
  // Plotly draws no axis without a trace; the legend stands above the axis.
  const emptyTrace = { type: 'scatter', x: [null], y: [null], xaxis: 'x2', showlegend: false, hoverinfo: 'skip' };
  return { data: [...data, emptyTrace], layout: { ...layout, xaxis2, legend: { ...layout.legend, y: 1 + 24 / (height - AROUND_PX) } } };
}

// On a narrow screen row labels are broken into short lines: whole labels would leave no room for values.
function withStackedLabels({ data, layout }) {
  const { ticktext } = layout.yaxis;
  if (!ticktext || !layout.yaxis.automargin) return { data, layout };
  const short = ticktext.map((label) => label.replace(' / ', ' /<br>').replaceAll(' · ', '<br>'));
  return { data, layout: { ...layout, yaxis: { ...layout.yaxis, ticktext: short } } };
}

// The factor on a chart's height that keeps the label lines of one row off the next.
function heightFactor({ ticktext }, height) {
  if (!ticktext || !ticktext.length) return 1;
  const lines = Math.max(...ticktext.map((label) => label.split('<br>').length));
  return Math.max(1, ((13 * lines + 4) * ticktext.length + AROUND_PX) / height);
}

function figureOf(plot) {
  const figure = payload.figures[plot.dataset.figure];
  const whole = plot.clientWidth < NARROW ? withStackedLabels(figure) : figure;
  const { from, to } = plot.dataset;
  const height = Number(plot.dataset.height);
  const sliced = from === undefined ? whole : slice(whole, Number(from), Number(to), plot.clientWidth);
  const isFirst = from === undefined || Number(from) === whole.layout.yaxis.range[1];
  const { data, layout } = isFirst ? withTopAxis(sliced, height, plot.clientWidth) : sliced;
  data.forEach(nameCases);
  return { data, layout: { ...layout, height, template: payload.templates[theme()] } };
}

function draw(plot) {
  if (plot.dataset.drawn || typeof Plotly === 'undefined') return;
  plot.dataset.drawn = 'yes';
  const figure = figureOf(plot);
  const { layout } = figure;
  const narrow = plot.clientWidth < NARROW;
  // On a narrow screen the legend has one line per entry: the plot keeps its height, the figure grows.
  if (narrow) {
    const entries = figure.data.filter((trace) => trace.showlegend !== false && trace.name).length;
    layout.height *= heightFactor(layout.yaxis, layout.height);
    layout.height += layout.showlegend === false ? 0 : 19 * Math.max(0, entries - 1);
    plot.style.height = `${layout.height}px`;
  }
  const drawn = Plotly.newPlot(plot, figure.data, layout, CONFIG);
  if (narrow) drawn.then(() => fitTicks(plot));
}

// The ticks whose labels fit beside each other, the roundest first, so that none has to be rotated.
function fittingTicks({ tickvals, ticktext, type, range: [low, high], _length: length }) {
  const scale = type === 'log' ? Math.log10 : (value) => value;
  const ticks = tickvals.map((value, i) => {
    const mantissa = Number((value / 10 ** Math.floor(Math.log10(Math.abs(value) || 1))).toPrecision(3));
    return { i, at: ((scale(value) - low) / (high - low)) * length, half: 4 * ticktext[i].length + 3, rank: [1, 5, 2].indexOf(mantissa) };
  });
  const kept = [];
  for (const tick of ticks.sort((a, b) => (a.rank < 0) - (b.rank < 0) || a.rank - b.rank)) {
    if (kept.every((earlier) => Math.abs(earlier.at - tick.at) >= earlier.half + tick.half)) kept.push(tick);
  }
  return kept.map(({ i }) => i).sort((a, b) => a - b);
}

function fitTicks(plot) {
  const changes = {};
  for (const [name, axis] of Object.entries(plot._fullLayout)) {
    if (!/^xaxis\d*$/.test(name)) continue;
    changes[`${name}.tickangle`] = 0;
    if (!axis.tickvals) {
      const distance = (axis._length * axis.dtick) / Math.abs(axis.range[1] - axis.range[0]);
      const widest = Math.max(0, ...axis._vals.map(({ text }) => 8 * text.length + 6));
      if (distance > 0) changes[`${name}.ticklabelstep`] = Math.ceil(widest / distance);
      continue;
    }
    const kept = fittingTicks(axis);
    for (const key of ['tickvals', 'ticktext']) changes[`${name}.${key}`] = kept.map((i) => axis[key][i]);
  }
  Plotly.relayout(plot, changes);
}

// Draws a chart again from its data in the payload, if it has been drawn.
function redraw(id) {
  for (const plot of plots) {
    if (plot.dataset.figure === id && plot.dataset.drawn) {
      delete plot.dataset.drawn;
      Plotly.purge(plot);
      draw(plot);
    }
  }
}

// Changes the layout of every chart that has been drawn.
function relayout(changes) {
  plots.filter((plot) => plot.dataset.drawn).forEach((plot) => Plotly.relayout(plot, changes));
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  relayout({ template: payload.templates[name] });
}

// The reader's choice is kept for other pages; the theme of a link holds for this page alone.
function switchTheme() {
  setTheme(theme() === 'dark' ? 'light' : 'dark');
  try { localStorage.setItem('joulemark-theme', theme()); } catch (error) { /* see theme.js */ }
}

// One chart per frame, those on the screen first, so that each is shown before the next is begun.
const waiting = [];
let drawing = false;

function isOnScreen(plot) {
  const { top, bottom } = plot.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

function drawNext() {
  drawing = waiting.length > 0;
  if (!drawing) return;
  draw(waiting.splice(Math.max(0, waiting.findIndex(isOnScreen)), 1)[0]);
  requestAnimationFrame(() => setTimeout(drawNext));
}

function startCharts() {
  if (typeof Plotly === 'undefined') {
    document.documentElement.classList.add('no-plotly');
  } else if ('IntersectionObserver' in window) {
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) { observer.unobserve(entry.target); waiting.push(entry.target); }
      }
      if (waiting.length && !drawing) drawNext();
    }, { rootMargin: '400px' });
    plots.forEach((plot) => observer.observe(plot));
  } else {
    plots.forEach(draw);
  }
}

// Paper is white and narrow, and nobody can open a closed explanation on it.
const PAPER_PX = 680; // A4 portrait within our margins is 688 px wide
let closed = [];
addEventListener('beforeprint', () => {
  plots.forEach(draw);
  relayout({ width: PAPER_PX, template: payload.templates.light });
  closed = [...document.querySelectorAll('details.how-to-read:not([open])')];
  closed.forEach((details) => { details.open = true; });
});
addEventListener('afterprint', () => {
  closed.forEach((details) => { details.open = false; });
  relayout({ width: null, autosize: true, template: payload.templates[theme()] });
});
