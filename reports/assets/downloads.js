// Downloads: the run file, the results table as CSV, and each figure as a picture and as CSV.
function save(parts, name, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function unpacked(node) {
  const bytes = Uint8Array.from(atob(node.textContent.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

// A field that a spreadsheet would run as a formula gets an apostrophe before it.
function csvField(value) {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvText = (rows) => `${rows.map((row) => row.map(csvField).join(',')).join('\r\n')}\r\n`;

// The results table as the page shows it now, with the inputs of its emissions.
function resultsCsv() {
  const names = model.columns.map((column) => column.key);
  const head = ['run', 'case', 'item', 'status', 'reason', 'zone', 'intensity_g_per_kwh', 'pue',
    ...names.flatMap((name) => [name, `${name}_low`, `${name}_high`, `${name}_n`, `${name}_kind`])];
  const keys = Object.keys(model.cases).sort((a, b) => a.slice(1) - b.slice(1)); // as in the table
  return csvText([head, ...keys.map((key) => {
    const { run, id, item, status, reason } = model.cases[key];
    const { intensity, pue } = effectiveInputs(run, currentInputs);
    const zone = currentInputs.intensity === null ? currentInputs.zone ?? model.runs[run].zone : null;
    return [run, id, item, status, reason, zone, intensity, pue, ...names.flatMap((name) => [...valuesOf(key, name), kindOf(key, name)])];
  })]);
}

// The data table of a figure, all of its rows.
function figureRows(id) {
  if (id in payload.tables) { const [head, rows] = rowsOf(id); return [head, ...rows]; }
  return [...document.querySelector(`#fig-${id} table`).rows].map((row) => [...row.cells].map(
    (cell) => ('value' in cell.dataset ? Number(cell.dataset.value) : cell.textContent)));
}

function saveImage(id, format) {
  const { title, data, layout } = payload.figures[id];
  // An image stands alone: its title is in it, as in reports/images.py.
  const height = layout.height + 68;
  const heading = { text: escapeLabel(title), x: 0.01, xanchor: 'left', font: { size: 16 } };
  const whole = { data, layout: { ...layout, title: heading, margin: { ...layout.margin, t: 76 }, height, template: payload.templates[theme()] } };
  const width = Math.max(document.getElementById(`plot-${id}`).clientWidth, 600);
  Plotly.downloadImage(whole, { format, filename: `joulemark-${id}`, scale: 2, width, height });
}

document.querySelectorAll('[data-json]').forEach((button) => button.addEventListener('click', async () => {
  const node = document.querySelector(`script[data-run="${button.dataset.json}"]`);
  save([await unpacked(node)], node.dataset.name, 'application/json');
}));
document.querySelectorAll('[data-csv]').forEach((button) => button.addEventListener('click', () => {
  save([resultsCsv()], `${model.runs.A.id}.csv`, 'text/csv');
}));

// The buttons of each figure are made here, since they do nothing without JavaScript, and those for images nothing
// without Plotly.
document.querySelectorAll('figure.figure').forEach((figure) => {
  const id = figure.id.slice('fig-'.length);
  const buttons = element('span', 'save', '');
  const formats = typeof Plotly === 'undefined' ? [] : ['SVG', 'PNG'];
  for (const [text, label, action] of [
    ...formats.map((format) => [format, `as ${format}`, () => saveImage(id, format.toLowerCase())]),
    ['CSV', 'data table as CSV', () => save([csvText(figureRows(id))], `joulemark-${id}.csv`, 'text/csv')],
  ]) {
    const button = element('button', '', text);
    button.type = 'button';
    button.dataset.save = `${id}.${text}`;
    button.setAttribute('aria-label', `${payload.figures[id].title}, ${label}`);
    button.addEventListener('click', action);
    buttons.append(button, ' ');
  }
  figure.querySelector('.figure-tools').append(buttons);
});
