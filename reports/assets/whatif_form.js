// The what-if's fields, and the words that say all over the page what is supposed.
const form = document.getElementById('whatif');
const FIELDS = Object.keys(NOTHING);

// What a number may be, and its name for people.
const BOUNDS = {
  intensity: [0, 3000, 'Intensity, g/kWh'], pue: [1, 5, 'PUE'], psf: [1e-3, 1e9, 'PSF'], items: [1, 1e15, 'Items a day'],
};

const isEmpty = (text) => text === null || text === undefined || String(text).trim() === '';

// A number that may be one, within its bounds; null for none and for what cannot be.
function bounded(name, text) {
  const [low, high] = BOUNDS[name];
  const value = Number(text);
  return !isEmpty(text) && value >= low && value <= high ? value : null;
}

function wanted(params) {
  const numbers = Object.keys(BOUNDS).map((name) => [name, bounded(name, params[name])]);
  return { zone: zones.has(params.zone) ? params.zone : null, ...Object.fromEntries(numbers) };
}

// Why what stands in a field is not taken; empty where it is, or nothing stands there.
function problem(name, text) {
  if (isEmpty(text)) return '';
  if (name === 'zone') return zones.has(text) ? '' : `${text} is not in the list of countries.`;
  const [low, high, title] = BOUNDS[name];
  const comma = String(text).includes(',') ? ' Decimals have a point, thousands no comma.' : '';
  return bounded(name, text) === null ? `${title}: ${text} is not taken, it must be a number from ${low} to ${high}.${comma}` : '';
}

function complain(params) {
  const found = FIELDS.map((name) => [form.elements[name], problem(name, params[name])]);
  found.forEach(([field, words]) => field?.setAttribute('aria-invalid', words !== ''));
  document.getElementById('whatif-wrong').textContent = found.map(([, words]) => words).filter(Boolean).join(' ');
}

// The grid that is supposed for all runs, as the facts at the head of the page name one; null where each has its own.
function grid(want) {
  const [mark] = model.bases[want.intensity !== null ? 'given' : 'average'];
  if (want.intensity !== null) return `own value, ${want.intensity} g CO₂e/kWh ${mark} given`;
  return want.zone === null ? null : `${want.zone}, ${zones.get(want.zone).g} g CO₂e/kWh ${mark} average of ${zones.get(want.zone).year}`;
}

function says(want) {
  const words = [];
  if (want.intensity !== null) words.push(`${want.intensity} g/kWh (own value)`);
  else if (want.zone !== null) words.push(`${zones.get(want.zone).name}: ${zones.get(want.zone).g} g/kWh of ${zones.get(want.zone).year}`);
  if (want.pue !== null) words.push(`PUE ${want.pue}`);
  return words.join(', ');
}

// What a run was measured with gives way to what is supposed, and comes back.
function fillFacts(want) {
  const other = { Grid: grid(want), PUE: want.pue, Intensity: grid(want) };
  document.querySelectorAll('[data-fact]').forEach((node) => {
    const { fact } = node.dataset;
    node.dataset.own ??= node.textContent;
    const as = fact === 'Intensity' ? `; ${form.dataset.own}: ${node.dataset.own}` : '';
    node.textContent = other[fact] === null ? node.dataset.own : `what if: ${other[fact]}${as}`;
  });
  document.querySelectorAll('[data-of-grid]').forEach((node) => { node.hidden = other.Grid === null; });
}

function fillWords(want) {
  const grams = says(want);
  const banner = document.getElementById('whatif-on');
  banner.hidden = !grams && want.psf === null;
  banner.textContent = `What if: ${[grams, want.psf === null ? '' : `PSF ${want.psf}`].filter(Boolean).join(', ')}`;
  document.getElementById('whatif-says').textContent = [
    grams && `Grams and facility energy on this page are now for ${grams}.`,
    want.psf === null ? '' : `The run's total now stands times PSF ${want.psf} too.`,
    banner.hidden ? '' : 'IT energy and speed do not change.',
  ].filter(Boolean).join(' ');
}

function apply(want) {
  current = want;
  model.columns.forEach(({ key }) => { if (moves(key)) fillColumn(key, want); });
  fillEmissions(want);
  fillEmissionsTable();
  fillBreakdown(want);
  fillFormula(want);
  fillTotals(want);
  fillDays(want);
  fillFacts(want);
  fillWords(want);
}
