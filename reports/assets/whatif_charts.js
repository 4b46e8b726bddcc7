// The charts that the what-if changes, and the data table under one of them.

// Lowest and highest emissions within the ranges of the estimate, and of intensity and PUE where they are the run's own.
function emissionsRange(key, whatif) {
  const { ranges } = model.runs[model.cases[key].run];
  const intensity = hasOtherGrid(whatif) ? null : ranges.intensity;
  const pue = whatif.pue === null ? ranges.pue : null;
  const errorRange = cellOf(key, EMISSIONS)[6];
  const [value] = recomputed(key, EMISSIONS, whatif);
  return [0, 1].map((end) => value * (errorRange ? errorRange[end] : 1) * (intensity ? intensity[end] : 1) * (pue ? pue[end] : 1));
}

// The legend's entries for the kinds of intensity.
function fillIntensityLegend(figure, whatif) {
  const entry = figure.data.find((trace) => trace.meta.intensity_kind);
  const points = figure.data.filter((trace) => !trace.meta.intensity_kind);
  const kinds = new Set(points.flatMap((trace) => trace.meta.cases).map((key) => intensityKindOf(key, whatif)));
  figure.data = [...points, ...[...kinds].map((kind) => {
    const [mark, label, suffix] = model.intensity_kinds[kind];
    const marker = { ...entry.marker, symbol: suffix ? `circle-open${suffix}` : 'circle' };
    return { ...entry, name: `${mark} ${label}`, marker, meta: { intensity_kind: kind, cases: [] } };
  })];
}

const ALL_ZERO = {
  text: 'All values are 0 g, which a logarithmic axis cannot show.', showarrow: false, xref: 'paper', yref: 'paper', x: 0.5, y: 0.5,
};

// Charts keep their data in the payload, so that one that is not drawn yet comes out right as well.
function fillEmissions(whatif) {
  const figure = payload.figures.emissions;
  if (!figure) return;
  const ends = [];
  const values = [];
  fillIntensityLegend(figure, whatif);
  for (const trace of figure.data) {
    if (trace.meta.intensity_kind) continue;
    if (trace.meta.range) {
      // A reader's own value has no range; what is not replaced keeps its own.
      const ranges = trace.meta.cases.map((key) => emissionsRange(key, whatif));
      trace.x = ranges.flatMap((range) => [...range.map(rounded6), null]);
      trace.visible = ranges.some(([low, high]) => high > low);
      if (trace.visible) ends.push(...ranges.flat().filter((end) => end > 0));
      continue;
    }
    const suffixes = trace.meta.cases.map((key) => model.intensity_kinds[intensityKindOf(key, whatif)][2]);
    trace.marker.symbol = trace.marker.symbol.map((shape, i) => shape.replace('-dot', '') + suffixes[i]);
    const triples = trace.meta.cases.map((key) => recomputed(key, EMISSIONS, whatif));
    triples.forEach((triple) => ends.push(...triple.filter((end) => end !== null && end > 0)));
    values.push(...triples.map(([value]) => value).filter((value) => value > 0));
    trace.x = triples.map(([value]) => rounded6(value));
    trace.error_x.array = triples.map(([value, , high]) => (high === null ? null : rounded6(high - value)));
    trace.error_x.arrayminus = triples.map(([value, low]) => (low === null ? null : rounded6(value - low)));
  }
  figure.layout.annotations = values.length ? [] : [ALL_ZERO];
  if (values.length) fitLogAxis(figure.layout.xaxis, values, ends);
  redraw('emissions');
}

// The axis over all values, as `log_axis` of reports/plotting/axes.py has it.
function fitLogAxis(axis, values, ends) {
  const low = Math.max(Math.log10(Math.min(...values)) - 1, Math.log10(Math.min(...ends)));
  const high = Math.min(Math.log10(Math.max(...values)) + 1, Math.log10(Math.max(...ends)));
  const pad = Math.max(0.06 * (high - low), (0.6 - (high - low)) / 2, 0.04);
  Object.assign(axis, { range: [rounded6(low - pad), rounded6(high + pad)] }, ticks(low - pad, high + pad));
}

function fillBreakdown(whatif) {
  const figure = payload.figures.breakdown;
  if (!figure) return;
  for (const trace of figure.data) {
    if (!trace.meta || !trace.meta.pue) continue;
    trace.x = trace.meta.cases.map((key) => rounded6(effectiveInputs(model.cases[key].run, whatif).pue - 1));
    trace.showlegend = trace.x.some((overhead) => overhead > 0);
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
