// The state of the page stands in its address, so that a link keeps the view: #zone=CH&pue=1.2&work=g1&theme=dark.
function parameters() {
  const text = location.hash.slice(1);
  return text.includes('=') ? Object.fromEntries(new URLSearchParams(text)) : {};
}

function remember(changes) {
  const kept = { ...parameters(), ...changes };
  const text = new URLSearchParams(Object.entries(kept).filter(([, value]) => value !== null && value !== '')).toString();
  history.replaceState(null, '', text ? `#${text}` : location.pathname + location.search);
}

let changed = false;

function fromAddress() {
  const found = parameters();
  if (found.theme === 'dark' || found.theme === 'light') setTheme(found.theme);
  if (form) {
    FIELDS.forEach((name) => { if (form.elements[name]) form.elements[name].value = found[name] ?? ''; });
    complain(found);
    const want = wanted(found);
    // The page comes with its own numbers: only another view has to be computed.
    const other = FIELDS.some((name) => want[name] !== null);
    if (other || changed) apply(want);
    changed = other;
  }
  if (found.work) choose(found.work);
  if (found.sort) sortBy(found.sort);
  if (found.at) show(document.getElementById(found.at));
}

// Brings a place of the page into view. The address names it until the reader has left it.
let leaving = null;
function show(target) {
  if (!target) return;
  target.scrollIntoView();
  leaving?.disconnect();
  leaving = new IntersectionObserver(([entry]) => {
    if (entry.isIntersecting) return;
    leaving.disconnect();
    if (parameters().at === target.id) remember({ at: null });
  });
  leaving.observe(target);
}

document.getElementById('theme').addEventListener('click', () => {
  switchTheme();
  remember({ theme: theme() });
});

if (form) {
  for (const name of ['intensity', 'pue', 'psf']) {
    if (form.elements[name]) form.elements[name].placeholder = model.runs.A[name];
  }
  const typed = () => Object.fromEntries(FIELDS.map((name) => [name, form.elements[name] ? form.elements[name].value : '']));
  form.addEventListener('input', () => { const now = typed(); complain(now); apply(wanted(now)); remember(wanted(now)); });
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => {
    complain({});
    apply(NOTHING);
    remember(NOTHING);
  });
}

if (work) {
  work.addEventListener('change', () => {
    choose(work.value);
    remember({ work: work.value });
  });
}

// Links within the page scroll and leave the state in the address.
document.querySelectorAll('a[href^="#"]').forEach((link) => link.addEventListener('click', (event) => {
  const target = document.getElementById(link.getAttribute('href').slice(1));
  if (!target) return;
  event.preventDefault();
  show(target);
  target.setAttribute('tabindex', '-1');
  target.focus({ preventScroll: true });
  if (location.hash.includes('=')) remember({ at: target.id }); else history.replaceState(null, '', `#${target.id}`);
}));

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
function field(value) {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// The table as it stands, with what its grams are computed with.
function csv() {
  const names = model.columns.map((column) => column.key);
  const head = ['run', 'case', 'item', 'status', 'reason', 'zone', 'intensity_g_per_kwh', 'pue',
    ...names.flatMap((name) => [name, `${name}_low`, `${name}_high`, `${name}_n`, `${name}_kind`])];
  const keys = Object.keys(model.cases).sort((a, b) => a.slice(1) - b.slice(1)); // as in the table
  return lines([head, ...keys.map((key) => {
    const { run, id, item, status, reason } = model.cases[key];
    const { intensity, pue } = inputs(run, current);
    const zone = current.intensity === null ? current.zone ?? model.runs[run].zone : null;
    return [run, id, item, status, reason, zone, intensity, pue, ...names.flatMap((name) => [...valuesOf(key, name), kindOf(key, name)])];
  })]);
}

const lines = (rows) => `${rows.map((row) => row.map(field).join(',')).join('\r\n')}\r\n`;

// The data table of a figure, all of its rows.
function tableOf(id) {
  if (id in payload.tables) { const [head, rows] = rowsOf(id); return [head, ...rows]; }
  return [...document.querySelector(`#fig-${id} table`).rows].map((row) => [...row.cells].map(
    (cell) => ('value' in cell.dataset ? Number(cell.dataset.value) : cell.textContent)));
}

document.querySelectorAll('[data-json]').forEach((button) => button.addEventListener('click', async () => {
  const node = document.querySelector(`script[data-run="${button.dataset.json}"]`);
  save([await unpacked(node)], node.dataset.name, 'application/json');
}));
document.querySelectorAll('[data-csv]').forEach((button) => button.addEventListener('click', () => {
  save([csv()], `${model.runs.A.id}.csv`, 'text/csv');
}));
function picture(id, format) {
  const { title, data, layout } = payload.figures[id];
  // A picture stands alone: its title is in it, as reports/images.py does it.
  const height = layout.height + 68;
  const head = { text: inert(title), x: 0.01, xanchor: 'left', font: { size: 16 } };
  const whole = { data, layout: { ...layout, title: head, margin: { ...layout.margin, t: 76 }, height, template: payload.templates[theme()] } };
  const width = Math.max(document.getElementById(`plot-${id}`).clientWidth, 600);
  Plotly.downloadImage(whole, { format, filename: `joulemark-${id}`, scale: 2, width, height });
}

// What can be taken away of each figure: made here, since they could do nothing without JavaScript, and a picture none
// without Plotly.
document.querySelectorAll('figure.figure').forEach((figure) => {
  const id = figure.id.slice('fig-'.length);
  const buttons = made('span', 'save', '');
  const pictures = typeof Plotly === 'undefined' ? [] : ['SVG', 'PNG'];
  for (const [text, words, act] of [
    ...pictures.map((format) => [format, `as ${format}`, () => picture(id, format.toLowerCase())]),
    ['CSV', 'data table as CSV', () => save([lines(tableOf(id))], `joulemark-${id}.csv`, 'text/csv')],
  ]) {
    const button = made('button', '', text);
    button.type = 'button';
    button.dataset.take = `${id}.${text}`;
    button.setAttribute('aria-label', `${payload.figures[id].title}, ${words}`);
    button.addEventListener('click', act);
    buttons.append(button, ' ');
  }
  figure.querySelector('.more').append(buttons);
});

fromAddress();
addEventListener('hashchange', fromAddress);
startCharts();
