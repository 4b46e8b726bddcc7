// The state of the page is in its address, so that a link keeps the view: #zone=CH&pue=1.2&task=g1&theme=dark.
function addressState() {
  const text = location.hash.slice(1);
  return text.includes('=') ? Object.fromEntries(new URLSearchParams(text)) : {};
}

function setAddress(changes) {
  const state = { ...addressState(), ...changes };
  const text = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== null && value !== '')).toString();
  history.replaceState(null, '', text ? `#${text}` : location.pathname + location.search);
}

let hasWhatif = false;

function restoreState() {
  const state = addressState();
  if (state.theme === 'dark' || state.theme === 'light') setTheme(state.theme);
  if (form) {
    FIELDS.forEach((name) => { if (form.elements[name]) form.elements[name].value = state[name] ?? ''; });
    showErrors(state);
    const whatif = validInputs(state);
    // The page comes with its own numbers: only other inputs need computing.
    const hadWhatif = hasWhatif;
    hasWhatif = FIELDS.some((name) => whatif[name] !== null);
    if (hasWhatif || hadWhatif) applyInputs(whatif);
  }
  if (state.task) showTiles(state.task);
  if (state.sort) sortBy(state.sort);
  if (state.at) scrollToPlace(document.getElementById(state.at));
}

// Scrolls to a place of the page. The address names it until the reader leaves it.
let leaveObserver = null;
function scrollToPlace(target) {
  if (!target) return;
  target.scrollIntoView();
  leaveObserver?.disconnect();
  leaveObserver = new IntersectionObserver(([entry]) => {
    if (entry.isIntersecting) return;
    leaveObserver.disconnect();
    if (addressState().at === target.id) setAddress({ at: null });
  });
  leaveObserver.observe(target);
}

document.getElementById('theme').addEventListener('click', () => {
  switchTheme();
  setAddress({ theme: theme() });
});

if (form) {
  for (const name of ['intensity', 'pue', 'psf']) {
    if (form.elements[name]) form.elements[name].placeholder = model.runs.A[name];
  }
  const fieldTexts = () => Object.fromEntries(FIELDS.map((name) => [name, form.elements[name] ? form.elements[name].value : '']));
  form.addEventListener('input', () => {
    const texts = fieldTexts();
    const whatif = validInputs(texts);
    showErrors(texts);
    applyInputs(whatif);
    setAddress(whatif);
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => {
    showErrors({});
    applyInputs(NO_INPUTS);
    setAddress(NO_INPUTS);
  });
}

if (taskChooser) {
  taskChooser.addEventListener('change', () => {
    showTiles(taskChooser.value);
    setAddress({ task: taskChooser.value });
  });
}

// Links within the page scroll, and leave the state in the address.
document.querySelectorAll('a[href^="#"]').forEach((link) => link.addEventListener('click', (event) => {
  const target = document.getElementById(link.getAttribute('href').slice(1));
  if (!target) return;
  event.preventDefault();
  scrollToPlace(target);
  target.setAttribute('tabindex', '-1');
  target.focus({ preventScroll: true });
  if (location.hash.includes('=')) setAddress({ at: target.id }); else history.replaceState(null, '', `#${target.id}`);
}));

restoreState();
addEventListener('hashchange', restoreState);
startCharts();
