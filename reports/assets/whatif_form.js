// The what-if's fields, and the text that shows its inputs all over the page.
const form = document.getElementById('whatif');
const FIELDS = Object.keys(NO_INPUTS);

// The bounds of each number, and its label.
const BOUNDS = {
  intensity: [0, 3000, 'Intensity, g/kWh'], pue: [1, 5, 'PUE'], psf: [1e-3, 1e9, 'PSF'], items: [1, 1e15, 'Items per day'],
};

const isEmpty = (text) => text === null || text === undefined || String(text).trim() === '';

// The number in a field, if it is one within its bounds; else null.
function numberIn(name, text) {
  const [low, high] = BOUNDS[name];
  const value = Number(text);
  return !isEmpty(text) && value >= low && value <= high ? value : null;
}

function validInputs(texts) {
  const numbers = Object.keys(BOUNDS).map((name) => [name, numberIn(name, texts[name])]);
  return { zone: zones.has(texts.zone) ? texts.zone : null, ...Object.fromEntries(numbers) };
}

// The error message for a field's text; empty if it is valid or empty.
function errorMessage(name, text) {
  if (isEmpty(text)) return '';
  if (name === 'zone') return zones.has(text) ? '' : `${text} is not in the list of countries.`;
  const [low, high, label] = BOUNDS[name];
  const comma = String(text).includes(',') ? ' Use a decimal point, and no commas.' : '';
  return numberIn(name, text) === null ? `${label}: ${text} is not valid; it must be a number from ${low} to ${high}.${comma}` : '';
}

function showErrors(texts) {
  const errors = FIELDS.map((name) => [form.elements[name], errorMessage(name, texts[name])]);
  errors.forEach(([field, message]) => field?.setAttribute('aria-invalid', message !== ''));
  document.getElementById('whatif-errors').textContent = errors.map(([, message]) => message).filter(Boolean).join(' ');
}

// The what-if's grid in the form of the facts at the top of the page; null if each run has its own.
function gridFact(whatif) {
  const [mark] = model.intensity_kinds[whatif.intensity !== null ? 'given' : 'average'];
  if (whatif.intensity !== null) return `custom value, ${whatif.intensity} g CO₂e/kWh ${mark} given`;
  return whatif.zone === null ? null : `${whatif.zone}, ${zones.get(whatif.zone).g} g CO₂e/kWh ${mark} average of ${zones.get(whatif.zone).year}`;
}

function inputsText(whatif) {
  const texts = [];
  if (whatif.intensity !== null) texts.push(`${whatif.intensity} g/kWh (custom value)`);
  else if (whatif.zone !== null) texts.push(`${zones.get(whatif.zone).name}: ${zones.get(whatif.zone).g} g/kWh of ${zones.get(whatif.zone).year}`);
  if (whatif.pue !== null) texts.push(`PUE ${whatif.pue}`);
  return texts.join(', ');
}

// Replaces the facts of the runs by the inputs of the what-if, and restores them.
function fillFacts(whatif) {
  const replacements = { Grid: gridFact(whatif), PUE: whatif.pue, Intensity: gridFact(whatif) };
  document.querySelectorAll('[data-fact]').forEach((node) => {
    const { fact } = node.dataset;
    node.dataset.original ??= node.textContent;
    const original = fact === 'Intensity' ? `; ${form.dataset.original}: ${node.dataset.original}` : '';
    node.textContent = replacements[fact] === null ? node.dataset.original : `what if: ${replacements[fact]}${original}`;
  });
  document.querySelectorAll('[data-measured-grid]').forEach((node) => { node.hidden = replacements.Grid === null; });
}

function fillStatus(whatif) {
  const inputs = inputsText(whatif);
  const banner = document.getElementById('whatif-banner');
  banner.hidden = !inputs && whatif.psf === null;
  banner.textContent = `What if: ${[inputs, whatif.psf === null ? '' : `PSF ${whatif.psf}`].filter(Boolean).join(', ')}`;
  document.getElementById('whatif-status').textContent = [
    inputs && `Emissions and facility energy on this page are now for ${inputs}.`,
    whatif.psf === null ? '' : `The run's total is now also shown times PSF ${whatif.psf}.`,
    banner.hidden ? '' : 'IT energy and speed do not change.',
  ].filter(Boolean).join(' ');
}

function applyInputs(whatif) {
  currentInputs = whatif;
  model.columns.forEach(({ key }) => { if (isRecomputed(key)) fillColumn(key, whatif); });
  fillGrams(whatif);
  fillYear(whatif);
  fillEmissions(whatif);
  fillEmissionsTable();
  fillBreakdown(whatif);
  fillFormulas(whatif);
  fillTotals(whatif);
  fillDays(whatif);
  fillFacts(whatif);
  fillStatus(whatif);
}
