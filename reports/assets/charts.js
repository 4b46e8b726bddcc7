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

function draw(plot) {
  if (plot.dataset.drawn || typeof Plotly === 'undefined') return;
  plot.dataset.drawn = 'yes';
  const figure = payload.figures[plot.dataset.figure];
  figure.data.forEach(nameCases);
  const layout = { ...figure.layout, template: payload.templates[theme()] };
  // On a narrow screen the legend has one line an entry: the plot keeps its height, the figure grows.
  if (plot.clientWidth < 480) {
    const entries = figure.data.filter((trace) => trace.showlegend !== false && trace.name).length;
    layout.height += layout.showlegend === false ? 0 : 19 * Math.max(0, entries - 1);
    plot.style.height = `${layout.height}px`;
  }
  Plotly.newPlot(plot, figure.data, layout, CONFIG);
}

// Draws a chart anew from its data in the payload, if it has been drawn.
function redraw(id) {
  const plot = document.getElementById(`plot-${id}`);
  if (!plot || !plot.dataset.drawn) return;
  delete plot.dataset.drawn;
  Plotly.purge(plot);
  draw(plot);
}

function recolour(name) {
  for (const plot of plots) {
    if (plot.dataset.drawn) Plotly.relayout(plot, { template: payload.templates[name] });
  }
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem('joulemark-theme', name); } catch (error) { /* see theme.js */ }
  recolour(name);
}

function startCharts() {
  if (typeof Plotly === 'undefined') {
    document.documentElement.classList.add('no-plotly');
  } else if ('IntersectionObserver' in window) {
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) { observer.unobserve(entry.target); draw(entry.target); }
      }
    }, { rootMargin: '400px' });
    plots.forEach((plot) => observer.observe(plot));
  } else {
    plots.forEach(draw);
  }
}

// Paper is white, and a closed explanation cannot be opened on it.
let closed = [];
addEventListener('beforeprint', () => {
  plots.forEach(draw);
  recolour('light');
  closed = [...document.querySelectorAll('details.reading-aid:not([open])')];
  closed.forEach((details) => { details.open = true; });
});
addEventListener('afterprint', () => {
  closed.forEach((details) => { details.open = false; });
  recolour(theme());
});
