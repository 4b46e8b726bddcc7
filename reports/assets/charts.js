// Charts: drawn when they come near the screen, redrawn in the other theme, all drawn before printing.
const payload = JSON.parse(document.getElementById('report-data').textContent);
const { model } = payload;
const CONFIG = { displayModeBar: false, displaylogo: false, responsive: true, showSendToCloud: false };
const plots = [...document.querySelectorAll('.plot')];

const theme = () => document.documentElement.dataset.theme;

// Points know their case by its key; the name that a pointer shows is put in here.
// It is made harmless as reports/inert.py does it.
function inert(name) {
  const plain = name.replace(/[\u0000-\u001f\u007f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, '');
  const cut = plain.length > 200 ? `${plain.slice(0, 199)}…` : plain;
  return cut.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('%{', '% {');
}

function nameCases(trace) {
  if (trace.hovertemplate && trace.meta && trace.meta.cases) {
    trace.hovertext = trace.meta.cases.map((key) => inert(model.cases[key].full));
  }
}

// Pixels that the widest name of a row takes, of its two lines.
function widest(names) {
  const pen = document.createElement('canvas').getContext('2d');
  const { family, size } = payload.templates.light.layout.font;
  return Math.max(...names.flatMap((name) => name.split('<br>').map((line, i) => {
    pen.font = `${i ? 10 : size}px ${family}`;
    return pen.measureText(line.replace(/<[^>]*>/g, '')).width;
  })));
}

// The rows of a tall chart between two places of its vertical axis; the first slice has the legend of all.
// All leave as much room for names, and their axis has one range: equal values are equally long in all of them.
function slice({ data, layout }, from, to, width) {
  const inside = (y) => y >= from && y < to;
  const first = from === layout.yaxis.range[1];
  const traces = data.map((trace) => {
    const kept = [];
    let last = false;
    trace.y.forEach((y, i) => { last = y === null ? last : inside(y); if (last) kept.push(i); });
    const cut = (value) => {
      if (Array.isArray(value)) return value.length === trace.y.length ? kept.map((i) => value[i]) : value;
      return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cut(item)])) : value;
    };
    return kept.length || !first ? cut(trace) : { ...trace, x: [null], y: [null], meta: {} };
  });
  const ticks = layout.yaxis.tickvals.flatMap((place, i) => (inside(place) ? [i] : []));
  const yaxis = {
    ...layout.yaxis, range: [to, from], automargin: false,
    tickvals: ticks.map((i) => layout.yaxis.tickvals[i]), ticktext: ticks.map((i) => layout.yaxis.ticktext[i]),
  };
  const margin = { ...layout.margin, l: Math.min(widest(layout.yaxis.ticktext) + 10, 0.75 * width), r: 24 };
  const xaxis = { ...layout.xaxis, automargin: 'height' };
  return {
    data: traces.filter((trace) => trace.y.length),
    layout: { ...layout, margin, xaxis, yaxis, showlegend: first && layout.showlegend !== false },
  };
}

// Tall charts have their axis on top too: their first rows can be read before their foot is on the screen. On a narrow
// one the legend has a line an entry there, and ticks may be turned.
const TALL = 700;
const NARROW = 480;
function withTopAxis({ data, layout }, height, width) {
  if (height < TALL || width < NARROW || !layout.yaxis.tickvals || layout.yaxis.type === 'log' || layout.xaxis2 || layout.yaxis2) return { data, layout };
  const xaxis2 = { ...layout.xaxis, title: { text: '' }, side: 'top', overlaying: 'x', matches: 'x', showgrid: false, zeroline: false };
  // Nothing is drawn on an axis that no trace is of; the legend stands above the axis.
  const none = { type: 'scatter', x: [null], y: [null], xaxis: 'x2', showlegend: false, hoverinfo: 'skip' };
  return { data: [...data, none], layout: { ...layout, xaxis2, legend: { ...layout.legend, y: 1 + 24 / (height - 92) } } };
}

// On a narrow screen what a row is stands in short lines under one another: names would leave no room for values.
function stacked({ data, layout }) {
  const { ticktext } = layout.yaxis;
  if (!ticktext || !layout.yaxis.automargin) return { data, layout };
  const short = ticktext.map((name) => name.replace(' / ', ' /<br>').replaceAll(' · ', '<br>'));
  return { data, layout: { ...layout, yaxis: { ...layout.yaxis, ticktext: short } } };
}

// How many times its height a chart needs, so that no row's lines meet the next one's.
function stretched({ ticktext }, height) {
  if (!ticktext || !ticktext.length) return 1;
  const lines = Math.max(...ticktext.map((name) => name.split('<br>').length));
  return Math.max(1, (13 * lines + 4) * (ticktext.length / height));
}

function figureOf(plot) {
  const figure = payload.figures[plot.dataset.figure];
  const whole = plot.clientWidth < NARROW ? stacked(figure) : figure;
  const { from, to } = plot.dataset;
  plot.dataset.height ??= parseFloat(plot.style.height);
  const height = Number(plot.dataset.height);
  const part = from === undefined ? whole : slice(whole, Number(from), Number(to), plot.clientWidth);
  const first = from === undefined || Number(from) === whole.layout.yaxis.range[1];
  const { data, layout } = first ? withTopAxis(part, height, plot.clientWidth) : part;
  data.forEach(nameCases);
  return { data, layout: { ...layout, height, template: payload.templates[theme()] } };
}

function draw(plot) {
  if (plot.dataset.drawn || typeof Plotly === 'undefined') return;
  plot.dataset.drawn = 'yes';
  const figure = figureOf(plot);
  const { layout } = figure;
  const narrow = plot.clientWidth < NARROW;
  // On a narrow screen the legend has one line an entry: the plot keeps its height, the figure grows.
  if (narrow) {
    const entries = figure.data.filter((trace) => trace.showlegend !== false && trace.name).length;
    layout.height *= stretched(layout.yaxis, layout.height);
    layout.height += layout.showlegend === false ? 0 : 19 * Math.max(0, entries - 1);
    plot.style.height = `${layout.height}px`;
  }
  const drawn = Plotly.newPlot(plot, figure.data, layout, CONFIG);
  if (narrow) drawn.then(() => fitTicks(plot));
}

// The ticks whose texts have room beside each other, the roundest first, so that none has to be turned.
function roomy({ tickvals, ticktext, type, range: [low, high], _length: length }) {
  const log = type === 'log' ? Math.log10 : (value) => value;
  const ticks = tickvals.map((value, i) => {
    const mantissa = Number((value / 10 ** Math.floor(Math.log10(Math.abs(value) || 1))).toPrecision(3));
    return { i, at: ((log(value) - low) / (high - low)) * length, half: 4 * ticktext[i].length + 3, rank: [1, 5, 2].indexOf(mantissa) };
  });
  const kept = [];
  for (const tick of ticks.sort((a, b) => (a.rank < 0) - (b.rank < 0) || a.rank - b.rank)) {
    if (kept.every((other) => Math.abs(other.at - tick.at) >= other.half + tick.half)) kept.push(tick);
  }
  return kept.map(({ i }) => i).sort((a, b) => a - b);
}

function fitTicks(plot) {
  const changes = {};
  for (const [name, axis] of Object.entries(plot._fullLayout)) {
    if (!/^xaxis\d*$/.test(name)) continue;
    changes[`${name}.tickangle`] = 0;
    if (!axis.tickvals) {
      const apart = (axis._length * axis.dtick) / Math.abs(axis.range[1] - axis.range[0]);
      const widest = Math.max(0, ...axis._vals.map(({ text }) => 8 * text.length + 6));
      if (apart > 0) changes[`${name}.ticklabelstep`] = Math.ceil(widest / apart);
      continue;
    }
    const kept = roomy(axis);
    for (const part of ['tickvals', 'ticktext']) changes[`${name}.${part}`] = kept.map((i) => axis[part][i]);
  }
  Plotly.relayout(plot, changes);
}

// Draws a chart anew from its data in the payload, if it has been drawn.
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

// What the reader chose stays for other pages; what a link asks for holds for this one.
function switchTheme() {
  setTheme(theme() === 'dark' ? 'light' : 'dark');
  try { localStorage.setItem('joulemark-theme', theme()); } catch (error) { /* see theme.js */ }
}

// One chart a frame, what is on the screen first, so that it is there before the next is begun.
const waiting = [];
let drawing = false;

function onScreen(plot) {
  const { top, bottom } = plot.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

function drawNext() {
  drawing = waiting.length > 0;
  if (!drawing) return;
  draw(waiting.splice(Math.max(0, waiting.findIndex(onScreen)), 1)[0]);
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

// Paper is white and narrow, and a closed explanation cannot be opened on it.
const PAPER_PX = 680; // A4 upright within our margins is 688 px wide
let closed = [];
addEventListener('beforeprint', () => {
  plots.forEach(draw);
  relayout({ width: PAPER_PX, template: payload.templates.light });
  closed = [...document.querySelectorAll('details.reading-aid:not([open])')];
  closed.forEach((details) => { details.open = true; });
});
addEventListener('afterprint', () => {
  closed.forEach((details) => { details.open = false; });
  relayout({ width: null, autosize: true, template: payload.templates[theme()] });
});
