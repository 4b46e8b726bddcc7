// What if: facility energy = IT energy x PUE, emissions = facility energy x intensity, as suite/carbon/accounting.py.
const places = new Map(model.columns.map(({ key }, place) => [key, place]));
const cellOf = (key, column) => model.cases[key].cells[places.get(column)];
const JOULES_PER_KWH = 3.6e6;
const ENERGY = 'energy_per_item_j';
const FACILITY = 'facility_energy_per_item_j';
const EMISSIONS = 'emissions_g_per_1000_items';
const NOTHING = { zone: null, intensity: null, pue: null, psf: null, items: null };
let current = NOTHING; // what is supposed now
const zones = new Map(model.zones.map(([code, name, year, g]) => [code, { name, year, g }]));

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

// Whether another grid than the run's own is supposed.
const elsewhere = (want) => want.zone !== null || want.intensity !== null;

// Columns of a run that counts embodied emissions or its own hours, from those that it was measured with.
const EXTRA = {
  sci_g_per_1000_items: (entry, want, key) => {
    const made = cellOf(key, 'embodied_g_per_1000_items');
    return recomputed(key, EMISSIONS, want).map((grams, i) => (grams === null || made[i] === null ? null : grams + made[i]));
  },
  actual_g_per_1000_items: (entry, want, key) => {
    if (elsewhere(want)) return [null, null, null]; // what its own hours had says nothing of another grid
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

// [value, low, high, number of trials] of a case in a column, as they stand on the page now.
function valuesOf(key, column) {
  const [value, low, high, n] = cellOf(key, column);
  const found = moves(column) && value !== null ? recomputed(key, column, current) : [value, low, high];
  return [...found, found[0] === null ? 0 : n];
}

// Its kind, as it stands on the page now: what is not known elsewhere has none.
const kindOf = (key, column) => (valuesOf(key, column)[0] === null && cellOf(key, column)[0] !== null ? null : cellOf(key, column)[4]);

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
    const [own, , , , , mark, off] = cellOf(key, column);
    if (own === null) return;
    const small = node.querySelector('.interval, small');
    if (small) small.dataset.own ??= small.textContent;
    node.classList.toggle('missing', value === null);
    if (value === null) {
      node.querySelector('.value, span').textContent = '—';
      if (small) small.textContent = 'known for its own grid only';
      if ('value' in node.dataset) node.dataset.value = '';
      return;
    }
    const ends = off ? off.map((by) => value * by) : [low, high];
    const [text, lowText, highText] = matched(value / factor, ...ends.map((end) => (end === null ? null : end / factor)));
    node.querySelector('.value, span').textContent = mark + text;
    if (small) small.textContent = lowText ? (off ? `(${lowText} to ${highText})` : `[${lowText}, ${highText}]`) : small.dataset.own;
    if ('value' in node.dataset) node.dataset.value = value;
    const basis = node.querySelector('.basis');
    if (!basis) return;
    basis.title = basisOf(key, want);
    [basis.textContent] = model.bases[basis.title];
  });
}

const five = (value) => String(Number(value.toPrecision(5)));

function fillFormula(want) {
  document.querySelectorAll('#formulas [data-formula]').forEach((line) => {
    const key = line.dataset.formula;
    const { run } = model.cases[key];
    const used = inputs(run, want);
    const part = (name) => line.querySelector(`[data-part="${name}"]`);
    part('pue').textContent = five(used.pue);
    part('intensity').textContent = five(used.intensity);
    part('source').textContent = want.intensity !== null ? 'own value' : want.zone ?? model.runs[run].source;
    const [, , , , kind, mark] = cellOf(key, EMISSIONS);
    const total = recomputed(key, EMISSIONS, want)[0];
    part('grams').textContent = mark + (kind === 'model' ? Number(total.toPrecision(3)) : five(total));
  });
}

// The formula of every case of a work, as templates/formula.html has it of the first.
function showFormulas({ title, item, cases }) {
  const known = cases.filter((key) => cellOf(key, ENERGY)[0] !== null && cellOf(key, EMISSIONS)[0] !== null);
  document.getElementById('formulas')?.replaceChildren(...known.map((key) => {
    const line = document.getElementById('formula').content.firstElementChild.cloneNode(true);
    line.dataset.formula = key;
    const part = (name) => line.querySelector(`[data-part="${name}"]`);
    part('name').textContent = `${title}, ${model.cases[key].name}`;
    const [joules, , , , kind, mark] = cellOf(key, ENERGY);
    part('energy').textContent = mark + (kind === 'model' ? Number(joules.toPrecision(3)) : five(joules));
    line.querySelectorAll('[data-part="item"]').forEach((node) => { node.textContent = item; });
    return line;
  }));
}

const four = (value) => Number(value.toPrecision(4));

// The run from end to end, once and times PSF, in the words of reports/model/runs.py.
function fillTotals(want) {
  document.querySelectorAll('[data-total]').forEach((node) => {
    const own = model.runs[node.dataset.total];
    if (own.total === null) return;
    const { pue, psf, intensity } = inputs(node.dataset.total, want);
    const [joules, ownGrams] = own.total;
    const [least, guess, duration] = own.words;
    const kwh = facility(joules, { pue }) / JOULES_PER_KWH;
    // On its own grid a run keeps the mean over its hours; on another it meets one value.
    const total = elsewhere(want) ? kwh * intensity : (ownGrams * pue) / own.pue;
    const amount = (times) => `${four(kwh * times)} kWh, ${four(total * times)} g CO₂e`;
    const repeated = psf === 1 ? '' : `; times PSF ${psf}: ${amount(psf)}`;
    node.textContent = `${least ? 'at least ' : ''}${amount(1)}${guess ? ', estimated' : ''} (${duration})${repeated}`;
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
    const mark = cellOf(key, ENERGY)[5];
    const row = document.createElement('tr');
    const head = document.createElement('th');
    head.scope = 'row';
    head.textContent = model.cases[key].name;
    const shownAs = { kwh: (kwh) => prefixed(1000 * kwh, 'Wh'), kg: (kg) => weight(1000 * kg), year: (kg) => weight(1000 * kg) };
    row.append(head, ...Object.entries(shownAs).map(([name, words]) => {
      const cell = document.createElement('td');
      cell.className = 'num';
      cell.dataset.value = day === null ? '' : day[name];
      cell.textContent = day === null ? 'not measured' : mark + words(day[name]);
      return cell;
    }));
    return row;
  }));
}
