// What if: facility energy = IT energy x PUE, emissions = facility energy x intensity, as in suite/carbon/accounting.py.
const columnIndex = new Map(model.columns.map(({ key }, index) => [key, index]));
const cellOf = (key, column) => model.cases[key].cells[columnIndex.get(column)];
const JOULES_PER_KWH = 3.6e6;
const ENERGY = 'energy_per_item_j';
const FACILITY = 'facility_energy_per_item_j';
const EMISSIONS = 'emissions_g_per_1000_items';
const NO_INPUTS = { zone: null, intensity: null, pue: null, psf: null, items: null };
let currentInputs = NO_INPUTS; // the what-if's inputs now; null where the run's own is used
const zones = new Map(model.zones.map(([code, name, year, g]) => [code, { name, year, g }]));

// What a run's emissions are computed with: the what-if's inputs, else the run's own.
function effectiveInputs(run, whatif) {
  const own = model.runs[run];
  const zone = whatif.zone === null ? null : zones.get(whatif.zone).g;
  return { intensity: whatif.intensity ?? zone ?? own.intensity, pue: whatif.pue ?? own.pue, psf: whatif.psf ?? own.psf };
}

// The kind of a case's intensity: in a what-if it is a country's average or the reader's own value.
function intensityKindOf(key, whatif) {
  if (whatif.intensity !== null) return 'given';
  return whatif.zone !== null ? 'average' : model.runs[model.cases[key].run].intensity_kind;
}

const facilityJoules = (joules, used) => joules * used.pue;
const gramsOf = (joules, used) => (facilityJoules(joules, used) / JOULES_PER_KWH) * used.intensity;

const hasOtherGrid = (whatif) => whatif.zone !== null || whatif.intensity !== null;

// Columns of runs that count embodied emissions or know the intensity of their own hours, recomputed from their values.
const EXTRA_COLUMNS = {
  sci_g_per_1000_items: (entry, whatif, key) => {
    const embodied = cellOf(key, 'embodied_g_per_1000_items');
    return recomputed(key, EMISSIONS, whatif).map((grams, i) => (grams === null || embodied[i] === null ? null : grams + embodied[i]));
  },
  actual_g_per_1000_items: (entry, whatif, key) => {
    if (hasOtherGrid(whatif)) return [null, null, null]; // the intensity of its own hours says nothing about another grid
    const factor = effectiveInputs(entry.run, whatif).pue / model.runs[entry.run].pue;
    return cellOf(key, 'actual_g_per_1000_items').slice(0, 3).map((grams) => (grams === null ? null : grams * factor));
  },
};

// [value, low, high] of a case in a column, under `whatif`; nulls if its energy was not measured.
function recomputed(key, column, whatif) {
  const entry = model.cases[key];
  if (EXTRA_COLUMNS[column]) return EXTRA_COLUMNS[column](entry, whatif, key);
  const used = effectiveInputs(entry.run, whatif);
  const compute = column === FACILITY ? (joules) => facilityJoules(joules, used) : (joules) => 1000 * gramsOf(joules, used);
  return cellOf(key, ENERGY).slice(0, 3).map((joules) => (joules === null ? null : compute(joules)));
}

const isRecomputed = (column) => column === FACILITY || column === EMISSIONS || column in EXTRA_COLUMNS;

// [value, low, high, number of trials] of a case in a column, as the page shows them now.
function valuesOf(key, column) {
  const [value, low, high, n] = cellOf(key, column);
  const values = isRecomputed(column) && value !== null ? recomputed(key, column, currentInputs) : [value, low, high];
  return [...values, values[0] === null ? 0 : n];
}

// Its kind, as the page shows it now: a value that is unknown under the what-if has none.
const kindOf = (key, column) => (valuesOf(key, column)[0] === null && cellOf(key, column)[0] !== null ? null : cellOf(key, column)[4]);

const columnHeads = new Map([...document.querySelectorAll('#results thead th[data-key]')].slice(0, model.columns.length)
  .map((head) => [head.dataset.key, head]));

// A column's cells in the table and in the tiles, each with the key of its case.
const tableCells = (column) => [...document.querySelectorAll('#results tr[data-case]')].map(
  (row) => [row.dataset.case, row.cells[columnHeads.get(column).cellIndex]]);
const tileCells = (column) => [...document.querySelectorAll(`[data-cell$="|${column}"]`)].map(
  (node) => [node.dataset.cell.split('|')[0], node]);

function fillColumn(column, whatif) {
  const values = Object.fromEntries(Object.keys(model.cases).map((key) => [key, recomputed(key, column, whatif)]));
  const [factor, prefixName] = columnPrefix(Object.values(values).map(([value]) => value));
  const unit = prefixName + (column === FACILITY ? 'J' : 'g');
  document.querySelectorAll(`[data-unit="${column}"]`).forEach((node) => { node.textContent = unit; });
  [...tableCells(column), ...tileCells(column)].forEach(([key, node]) => {
    if (cellOf(key, column)[0] !== null) fillCell(node, key, column, values[key], factor, whatif);
  });
}

function fillCell(node, key, column, [value, low, high], factor, whatif) {
  const [, , , , , mark, errorRange] = cellOf(key, column);
  const small = node.querySelector('.interval, small');
  if (small) small.dataset.original ??= small.textContent;
  node.classList.toggle('missing', value === null);
  if (value === null) {
    node.querySelector('.value, span').textContent = '—';
    if (small) small.textContent = "known only for the run's own grid";
    if ('value' in node.dataset) node.dataset.value = '';
    return;
  }
  const ends = errorRange ? errorRange.map((end) => value * end) : [low, high];
  const [text, lowText, highText] = matchingDigits(value / factor, ...ends.map((end) => (end === null ? null : end / factor)));
  node.querySelector('.value, span').textContent = mark + text;
  const interval = errorRange ? `(${lowText} to ${highText})` : `[${lowText}, ${highText}]`;
  if (small) small.textContent = lowText ? interval : small.dataset.original;
  if ('value' in node.dataset) node.dataset.value = value;
  const intensityMark = node.querySelector('.intensity-kind');
  if (!intensityMark) return;
  intensityMark.title = intensityKindOf(key, whatif);
  [intensityMark.textContent] = model.intensity_kinds[intensityMark.title];
}

// Grams of a number of items in the headline of a machine.
function fillGrams(whatif) {
  document.querySelectorAll('[data-grams]').forEach((node) => {
    node.dataset.original ??= node.textContent;
    const [key, items] = node.dataset.grams.split('|');
    const [grams] = recomputed(key, EMISSIONS, whatif);
    const other = hasOtherGrid(whatif) || whatif.pue !== null;
    node.textContent = other ? `${cellOf(key, EMISSIONS)[5]}${prefixed((grams * items) / 1000, 'g')} CO₂e` : node.dataset.original;
  });
}

// A year's facility energy, emissions and cost, from its IT energy and what that costs.
function fillYear(whatif) {
  const other = hasOtherGrid(whatif) || whatif.pue !== null;
  const fill = (name, textOf) => document.querySelectorAll(`[data-year-${name}]`).forEach((node) => {
    node.dataset.original ??= node.textContent;
    const [run, kwh, mark] = node.getAttribute(`data-year-${name}`).split('|');
    node.textContent = other ? mark + textOf(Number(kwh) * JOULES_PER_KWH, effectiveInputs(run, whatif)) : node.dataset.original;
  });
  const timesPue = (joules, used) => String(Number((facilityJoules(joules, used) / JOULES_PER_KWH).toPrecision(3)));
  fill('kwh', timesPue);
  fill('cost', timesPue);
  fill('grams', (joules, used) => prefixed(gramsOf(joules, used), 'g'));
}

const fiveDigits = (value) => String(Number(value.toPrecision(5)));

const termOf = (line) => (name) => line.querySelector(`[data-term="${name}"]`);

function fillFormulas(whatif) {
  document.querySelectorAll('#formulas [data-formula]').forEach((line) => {
    const key = line.dataset.formula;
    const { run } = model.cases[key];
    const used = effectiveInputs(run, whatif);
    const term = termOf(line);
    term('pue').textContent = fiveDigits(used.pue);
    term('intensity').textContent = fiveDigits(used.intensity);
    term('source').textContent = whatif.intensity !== null ? 'custom value' : whatif.zone ?? model.runs[run].source;
    const [, , , , kind, mark] = cellOf(key, EMISSIONS);
    const [grams] = recomputed(key, EMISSIONS, whatif);
    term('emissions').textContent = mark + (kind === 'model' ? Number(grams.toPrecision(3)) : fiveDigits(grams));
  });
}

// The formula of every case of a task, as templates/formula.html has it for the first task.
function showFormulas({ title, item, cases }) {
  const known = cases.filter((key) => cellOf(key, ENERGY)[0] !== null && cellOf(key, EMISSIONS)[0] !== null);
  document.getElementById('formulas')?.replaceChildren(...known.map((key) => {
    const line = document.getElementById('formula').content.firstElementChild.cloneNode(true);
    line.dataset.formula = key;
    const term = termOf(line);
    term('name').textContent = `${title}, ${model.cases[key].name}`;
    const [joules, , , , kind, mark] = cellOf(key, ENERGY);
    term('energy').textContent = mark + (kind === 'model' ? Number(joules.toPrecision(3)) : fiveDigits(joules));
    line.querySelectorAll('[data-term="item"]').forEach((node) => { node.textContent = item; });
    return line;
  }));
}

const fourDigits = (value) => Number(value.toPrecision(4));

// The total of the whole run, once and times PSF, in the words of reports/model/runs.py.
function fillTotals(whatif) {
  document.querySelectorAll('[data-total]').forEach((node) => {
    const own = model.runs[node.dataset.total];
    if (own.total === null) return;
    const { pue, psf, intensity } = effectiveInputs(node.dataset.total, whatif);
    const [joules, ownGrams] = own.total;
    const { lower_bound: lowerBound, estimated, duration } = own.total_flags;
    const kwh = facilityJoules(joules, { pue }) / JOULES_PER_KWH;
    // On its own grid a run keeps the mean over its hours; another grid has one value.
    const grams = hasOtherGrid(whatif) ? kwh * intensity : (ownGrams * pue) / own.pue;
    const amount = (factor) => `${fourDigits(kwh * factor)} kWh, ${fourDigits(grams * factor)} g CO₂e`;
    const psfText = psf === 1 ? '' : `; times PSF ${psf}: ${amount(psf)}`;
    node.textContent = `${lowerBound ? 'at least ' : ''}${amount(1)}${estimated ? ', estimated' : ''} (${duration})${psfText}`;
  });
}

// Facility energy and emissions of a day's items, for the cases in the tiles.
function dailyOf(key, whatif) {
  const used = effectiveInputs(model.cases[key].run, whatif);
  const [joules] = cellOf(key, ENERGY);
  if (joules === null) return null;
  const kwh = (facilityJoules(joules, used) * whatif.items) / JOULES_PER_KWH;
  const kg = (kwh * used.intensity) / 1000;
  return { kwh, kg, year: kg * 365 };
}

function fillDays(whatif) {
  const table = document.getElementById('whatif-days');
  table.hidden = whatif.items === null;
  if (table.hidden) return;
  const shown = document.querySelectorAll('#tile-group .tile:first-child [data-cell]');
  table.tBodies[0].replaceChildren(...[...shown].map((node) => {
    const key = node.dataset.cell.split('|')[0];
    const daily = dailyOf(key, whatif);
    const mark = cellOf(key, ENERGY)[5];
    const row = document.createElement('tr');
    const head = document.createElement('th');
    head.scope = 'row';
    head.textContent = model.cases[key].name;
    const textOf = { kwh: (kwh) => prefixed(1000 * kwh, 'Wh'), kg: (kg) => weight(1000 * kg), year: (kg) => weight(1000 * kg) };
    row.append(head, ...Object.entries(textOf).map(([name, text]) => {
      const cell = document.createElement('td');
      cell.className = 'num';
      cell.dataset.value = daily === null ? '' : daily[name];
      cell.textContent = daily === null ? 'not measured' : mark + text(daily[name]);
      return cell;
    }));
    return row;
  }));
}
