// The tiles of another workload, made from the cells of the table, so that both always say the same.
const answers = new Map(payload.answers.map((answer) => [answer.key, answer]));
const work = document.getElementById('work');
const choice = document.getElementById('choice');

function made(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

const ofItem = (text, item) => text.replaceAll('items', `${item}s`).replaceAll('item', item);

// What stands at the right of a reading: how many trials, or why there is no value.
function basis(cell, note) {
  const [value, , , n, kind] = cell;
  if (value === null) return note;
  return (n === 1 ? 'n=1, no interval' : `n=${n}`) + (kind === 'model' ? ', estimated' : '');
}

function reading(key, column, item) {
  const row = document.querySelector(`#results tr[data-case="${key}"]`);
  const cell = row.cells[columnHeads.get(column).cellIndex];
  const known = cellOf(key, column);
  const node = made('div', 'reading', '');
  const who = made('span', 'who', '');
  const mark = row.cells[1].firstElementChild.cloneNode(true);
  const use = mark.firstElementChild;
  if (known[4] === 'model') {
    use.setAttribute('stroke', use.getAttribute('fill'));
    use.setAttribute('fill', 'none');
  }
  who.append(mark, made('bdi', '', model.cases[key].name));
  const shown = made('span', known[0] === null ? 'missing' : 'known', '');
  shown.dataset.cell = `${key}|${column}`;
  shown.append(made('strong', 'value', cell.firstElementChild.textContent), ' ');
  const small = cell.querySelector('small');
  if (known[0] !== null) {
    const unit = made('span', 'unit', ofItem(columnHeads.get(column).querySelector('.unit').textContent, item));
    unit.dataset.unit = column;
    shown.append(unit, ' ');
    const basis = cell.querySelector('.basis');
    if (basis) shown.append(basis.cloneNode(true), ' ');
  }
  shown.append(made('span', 'interval', (known[1] === null && !known[6]) || !small ? '' : small.textContent));
  node.append(who, shown, made('span', 'n', basis(known, small ? small.textContent : '')));
  return node;
}

function choose(key) {
  const answer = answers.get(key);
  if (!answer || !choice) return;
  const title = choice.querySelector('.tiles-title');
  title.replaceChildren(made('bdi', '', answer.title));
  if (answer.detail) title.append(' ', made('span', 'detail', answer.detail));
  choice.querySelectorAll('.tile').forEach((tile) => {
    const column = tile.dataset.key;
    const head = made('h3', '', ofItem(columnHeads.get(column).querySelector('button').textContent, answer.item));
    tile.replaceChildren(head, ...answer.cases.map((name) => reading(name, column, answer.item)));
  });
  choice.querySelectorAll(':scope > p').forEach((sentence) => sentence.remove());
  choice.append(...answer.sentences.map((sentence) => made('p', '', sentence)));
  showFormulas(answer);
  fillFormula(current);
  if (form) fillDays(current);
  if (work) work.value = key;
}
