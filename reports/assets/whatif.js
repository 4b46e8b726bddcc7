// What if: facility energy = IT energy x PUE, emissions = facility energy x intensity, as suite/carbon/accounting.py.
const places = new Map(model.columns.map(({ key }, place) => [key, place]));
const cellOf = (key, column) => model.cases[key].cells[places.get(column)];
const JOULES_PER_KWH = 3.6e6;
const ENERGY = 'energy_per_item_j';
const FACILITY = 'facility_energy_per_item_j';
const EMISSIONS = 'emissions_g_per_1000_items';
const zones = new Map(model.zones.map(([code, name, year, g]) => [code, { name, year, g }]));
const form = document.getElementById('whatif');
const FIELDS = ['zone', 'intensity', 'pue', 'psf', 'items'];

// A number that may be one, within its bounds; null for none and for what cannot be.
function bounded(text, low, high) {
  if (text === null || text === undefined || String(text).trim() === '') return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= low && value <= high ? value : null;
}

function wanted(params) {
  const zone = zones.has(params.zone) ? params.zone : null;
  const psf = bounded(params.psf, 0, Infinity);
  return {
    zone, psf: psf === 0 ? null : psf, items: bounded(params.items, 0, Infinity),
    intensity: bounded(params.intensity, 0, 3000), pue: bounded(params.pue, 1, 5),
  };
}

// What a run's grams are computed with: what is wanted, else what it was measured with.
function inputs(run, want) {
  const own = model.runs[run];
  const zone = want.zone === null ? null : zones.get(want.zone).g;
  return { intensity: want.intensity ?? zone ?? own.intensity, pue: want.pue ?? own.pue, psf: want.psf ?? own.psf };
}

// The kind of a run's intensity: what is put in its place is a country's average or the reader's own value.
function basisOf(key, want) {
  if (want.intensity !== null) return 'given';
  return want.zone !== null ? 'average' : model.runs[model.cases[key].run].basis;
}

const facility = (joules, used) => joules * used.pue;
const grams = (joules, used) => (facility(joules, used) / JOULES_PER_KWH) * used.intensity;

// Columns of a run that counts embodied emissions or its own hours, from those that it was measured with.
const EXTRA = {
  sci_g_per_1000_items: (entry, want, key) => {
    const made = cellOf(key, 'embodied_g_per_1000_items');
    return recomputed(key, EMISSIONS, want).map((grams, i) => (grams === null || made[i] === null ? null : grams + made[i]));
  },
  actual_g_per_1000_items: (entry, want, key) => {
    const by = inputs(entry.run, want).pue / model.runs[entry.run].pue;
    return cellOf(key, 'actual_g_per_1000_items').slice(0, 3).map((grams) => (grams === null ? null : grams * by));
  },
};

// [value, low, high] of a case in a column, under `want`; nulls where its energy was not measured.
function recomputed(key, column, want) {
  const entry = model.cases[key];
  if (EXTRA[column]) return EXTRA[column](entry, want, key);
  const used = inputs(entry.run, want);
  const of = column === FACILITY ? (joules) => facility(joules, used) : (joules) => 1000 * grams(joules, used);
  return cellOf(key, ENERGY).slice(0, 3).map((joules) => (joules === null ? null : of(joules)));
}

const moves = (column) => column === FACILITY || column === EMISSIONS || column in EXTRA;

const columnHeads = new Map([...document.querySelectorAll('#results thead th[data-key]')].slice(0, model.columns.length)
  .map((head) => [head.dataset.key, head]));

// A column's cells in the table and in the tiles, each with the key of its case.
const rowCells = (column) => [...document.querySelectorAll('#results tr[data-case]')].map(
  (row) => [row.dataset.case, row.cells[columnHeads.get(column).cellIndex]]);
const tileCells = (column) => [...document.querySelectorAll(`[data-cell$="|${column}"]`)].map(
  (node) => [node.dataset.cell.split('|')[0], node]);

function fillColumn(column, want) {
  const values = Object.fromEntries(Object.keys(model.cases).map((key) => [key, recomputed(key, column, want)]));
  const [factor, name] = columnPrefix(Object.values(values).map(([value]) => value));
  const unit = name + (column === FACILITY ? 'J' : 'g');
  document.querySelectorAll(`[data-unit="${column}"]`).forEach((node) => { node.textContent = unit; });
  [...rowCells(column), ...tileCells(column)].forEach(([key, node]) => {
    const [value, low, high] = values[key];
    if (value === null) return;
    const [text, lowText, highText] = matched(value / factor, low === null ? null : low / factor, high === null ? null : high / factor);
    node.querySelector('.value, span').textContent = cellOf(key, column)[5] + text;
    if (lowText) node.querySelector('.interval, small').textContent = `[${lowText}, ${highText}]`;
    if ('value' in node.dataset) node.dataset.value = value;
    const basis = node.querySelector('.basis');
    if (!basis) return;
    basis.title = basisOf(key, want);
    [basis.textContent] = model.bases[basis.title];
  });
}

// The lowest and the highest that the ranges of intensity and PUE allow, where they are still the run's own.
function range(key, want) {
  const { ranges } = model.runs[model.cases[key].run];
  const intensity = want.zone === null && want.intensity === null ? ranges.intensity : null;
  const pue = want.pue === null ? ranges.pue : null;
  const [value] = recomputed(key, EMISSIONS, want);
  return [0, 1].map((end) => value * (intensity ? intensity[end] : 1) * (pue ? pue[end] : 1));
}

// The entries of the legend that say what kind of intensity the marks rest on.
function intensityLegend(figure, want) {
  const entry = figure.data.find((trace) => trace.meta.basis);
  const points = figure.data.filter((trace) => !trace.meta.basis);
  const keys = new Set(points.flatMap((trace) => trace.meta.cases).map((key) => basisOf(key, want)));
  figure.data = [...points, ...[...keys].map((key) => {
    const [mark, words, more, opacity] = model.bases[key];
    const marker = { ...entry.marker, symbol: `circle${more}`, opacity };
    return { ...entry, name: `${mark} ${words}`, marker, meta: { basis: key, cases: [] } };
  })];
}

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
    const looks = trace.meta.cases.map((key) => model.bases[basisOf(key, want)].slice(2));
    trace.marker.symbol = trace.marker.symbol.map((shape, i) => shape.replace('-dot', '') + looks[i][0]);
    trace.marker.opacity = looks.map(([, opacity]) => opacity);
    const all = trace.meta.cases.map((key) => recomputed(key, EMISSIONS, want));
    all.forEach((triple) => ends.push(...triple.filter((end) => end !== null && end > 0)));
    values.push(...all.map(([value]) => value).filter((value) => value > 0));
    trace.x = all.map(([value]) => rounded6(value));
    trace.error_x.array = all.map(([value, , high]) => (high === null ? null : rounded6(high - value)));
    trace.error_x.arrayminus = all.map(([value, low]) => (low === null ? null : rounded6(value - low)));
  }
  if (!values.length) return;
  const low = Math.max(Math.log10(Math.min(...values)) - 1, Math.log10(Math.min(...ends)));
  const high = Math.min(Math.log10(Math.max(...values)) + 1, Math.log10(Math.max(...ends)));
  const pad = Math.max(0.06 * (high - low), (0.6 - (high - low)) / 2, 0.04);
  Object.assign(figure.layout.xaxis, { range: [rounded6(low - pad), rounded6(high + pad)] }, ticks(low - pad, high + pad));
  redraw('emissions');
}

function fillBreakdown(want) {
  const figure = payload.figures.breakdown;
  if (!figure) return;
  for (const trace of figure.data) {
    if (trace.meta && trace.meta.pue) trace.x = trace.meta.cases.map((key) => rounded6(inputs(model.cases[key].run, want).pue - 1));
  }
  redraw('breakdown');
}

const five = (value) => String(Number(value.toPrecision(5)));

function fillFormula(want) {
  document.querySelectorAll('[data-formula]').forEach((line) => {
    const key = line.dataset.formula;
    const used = inputs(model.cases[key].run, want);
    const part = (name) => line.querySelector(`[data-part="${name}"]`);
    part('pue').textContent = five(used.pue);
    part('intensity').textContent = five(used.intensity);
    if (!('own' in line.dataset)) line.dataset.own = part('source').textContent;
    part('source').textContent = want.intensity !== null ? 'own value' : want.zone ?? line.dataset.own;
    part('grams').textContent = five(recomputed(key, EMISSIONS, want)[0]);
  });
  document.querySelectorAll('[data-total]').forEach((node) => {
    const own = model.runs[node.dataset.total];
    if (own.total === null) return;
    const used = inputs(node.dataset.total, want);
    const [joules, ownGrams] = own.total;
    const [least, guess, duration] = own.words;
    const kwh = (facility(joules, used) * used.psf) / JOULES_PER_KWH;
    // On its own grid a run keeps the mean over its hours; on another it meets one value.
    const kept = want.zone === null && want.intensity === null;
    const total = kept ? (ownGrams * used.pue * used.psf) / own.pue : kwh * used.intensity;
    const four = (value) => Number(value.toPrecision(4));
    node.textContent = `${least ? 'at least ' : ''}${four(kwh)} kWh, ${four(total)} g CO₂e${guess ? ', estimated' : ''} (PSF ${used.psf}, ${duration})`;
  });
}

// A day's items: facility energy and emissions of the cases that the tiles show.
function daily(key, want) {
  const entry = model.cases[key];
  const used = inputs(entry.run, want);
  const joules = cellOf(key, ENERGY)[0];
  if (joules === null) return null;
  const kwh = (facility(joules, used) * want.items) / JOULES_PER_KWH;
  const kg = (kwh * used.intensity) / 1000;
  return { kwh, kg, year: kg * 365 };
}

function fillDays(want) {
  const table = document.getElementById('whatif-days');
  table.hidden = want.items === null;
  if (table.hidden) return;
  const shown = document.querySelectorAll('.choice .tile:first-child [data-cell]');
  table.tBodies[0].replaceChildren(...[...shown].map((node) => {
    const key = node.dataset.cell.split('|')[0];
    const day = daily(key, want);
    const row = document.createElement('tr');
    const head = document.createElement('th');
    head.scope = 'row';
    head.textContent = model.cases[key].name;
    row.append(head, ...['kwh', 'kg', 'year'].map((name) => {
      const cell = document.createElement('td');
      cell.className = 'num';
      cell.dataset.value = day === null ? '' : day[name];
      cell.textContent = day === null ? 'not measured' : significant(day[name]);
      return cell;
    }));
    return row;
  }));
}

function says(want) {
  const words = [];
  if (want.intensity !== null) words.push(`${want.intensity} g/kWh (own value)`);
  else if (want.zone !== null) words.push(`${zones.get(want.zone).name}: ${zones.get(want.zone).g} g/kWh of ${zones.get(want.zone).year}`);
  if (want.pue !== null) words.push(`PUE ${want.pue}`);
  if (want.psf !== null) words.push(`PSF ${want.psf}`);
  return words.length ? `Grams on this page are now for ${words.join(', ')}. IT energy and speed do not change.` : '';
}

function apply(want) {
  model.columns.forEach(({ key }) => { if (moves(key)) fillColumn(key, want); });
  fillEmissions(want);
  fillBreakdown(want);
  fillFormula(want);
  fillDays(want);
  document.getElementById('whatif-says').textContent = says(want);
}
