// What the what-if moves in charts, and in the table under one.

// The lowest and the highest that the ranges of an estimate, and of intensity and PUE where they are still the run's
// own, allow.
function range(key, want) {
  const { ranges } = model.runs[model.cases[key].run];
  const intensity = elsewhere(want) ? null : ranges.intensity;
  const pue = want.pue === null ? ranges.pue : null;
  const off = cellOf(key, EMISSIONS)[6];
  const [value] = recomputed(key, EMISSIONS, want);
  return [0, 1].map((end) => value * (off ? off[end] : 1) * (intensity ? intensity[end] : 1) * (pue ? pue[end] : 1));
}

// The entries of the legend that say what kind of intensity the marks rest on.
function intensityLegend(figure, want) {
  const entry = figure.data.find((trace) => trace.meta.basis);
  const points = figure.data.filter((trace) => !trace.meta.basis);
  const keys = new Set(points.flatMap((trace) => trace.meta.cases).map((key) => basisOf(key, want)));
  figure.data = [...points, ...[...keys].map((key) => {
    const [mark, words, more] = model.bases[key];
    const marker = { ...entry.marker, symbol: more ? `circle-open${more}` : 'circle' };
    return { ...entry, name: `${mark} ${words}`, marker, meta: { basis: key, cases: [] } };
  })];
}

const NO_PLACE = {
  text: 'All are 0 g: a logarithmic axis has no place for it.', showarrow: false, xref: 'paper', yref: 'paper', x: 0.5, y: 0.5,
};

// Charts keep their data in the payload, so that a chart that is not drawn yet comes out right as well.
function fillEmissions(want) {
  const figure = payload.figures.emissions;
  if (!figure) return;
  const ends = [];
  const values = [];
  intensityLegend(figure, want);
  for (const trace of figure.data) {
    if (trace.meta.basis) continue;
    if (trace.meta.range) {
      // A value of one's own has no range; what is not replaced keeps its own.
      const spans = trace.meta.cases.map((key) => range(key, want));
      trace.x = spans.flatMap((span) => [...span.map(rounded6), null]);
      trace.visible = spans.some(([low, high]) => high > low);
      if (trace.visible) ends.push(...spans.flat().filter((end) => end > 0));
      continue;
    }
    const looks = trace.meta.cases.map((key) => model.bases[basisOf(key, want)][2]);
    trace.marker.symbol = trace.marker.symbol.map((shape, i) => shape.replace('-dot', '') + looks[i]);
    const all = trace.meta.cases.map((key) => recomputed(key, EMISSIONS, want));
    all.forEach((triple) => ends.push(...triple.filter((end) => end !== null && end > 0)));
    values.push(...all.map(([value]) => value).filter((value) => value > 0));
    trace.x = all.map(([value]) => rounded6(value));
    trace.error_x.array = all.map(([value, , high]) => (high === null ? null : rounded6(high - value)));
    trace.error_x.arrayminus = all.map(([value, low]) => (low === null ? null : rounded6(value - low)));
  }
  figure.layout.annotations = values.length ? [] : [NO_PLACE];
  if (values.length) spread(figure.layout.xaxis, values, ends);
  redraw('emissions');
}

// The axis over all values; `log_axis` of reports/figures/base.py is the same.
function spread(axis, values, ends) {
  const low = Math.max(Math.log10(Math.min(...values)) - 1, Math.log10(Math.min(...ends)));
  const high = Math.min(Math.log10(Math.max(...values)) + 1, Math.log10(Math.max(...ends)));
  const pad = Math.max(0.06 * (high - low), (0.6 - (high - low)) / 2, 0.04);
  Object.assign(axis, { range: [rounded6(low - pad), rounded6(high + pad)] }, ticks(low - pad, high + pad));
}

function fillBreakdown(want) {
  const figure = payload.figures.breakdown;
  if (!figure) return;
  for (const trace of figure.data) {
    if (!trace.meta || !trace.meta.pue) continue;
    trace.x = trace.meta.cases.map((key) => rounded6(inputs(model.cases[key].run, want).pue - 1));
    trace.showlegend = trace.x.some((above) => above > 0);
  }
  const ends = figure.data[0].y.map((y, i) => figure.data.reduce((sum, { x }) => sum + (x[i] ?? 0), 0));
  figure.layout.xaxis.range = [0, rounded6(1.02 * Math.max(...ends))];
  redraw('breakdown');
}

// The data table under the chart. A long one is made when it is opened, by then with these numbers.
function fillEmissionsTable() {
  const table = document.querySelector('#fig-emissions table');
  if (!table || document.querySelector('#fig-emissions [data-table] .hint')) return;
  table.replaceWith(dataTable(rowsOf('emissions'), payload.figures.emissions.title));
}
