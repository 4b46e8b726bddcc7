// The tiles of another task, made from the cells of the results table, so that both always show the same.
const tileGroups = new Map(payload.tile_groups.map((group) => [group.key, group]));
const taskChooser = document.getElementById('task');
const tileGroup = document.getElementById('tile-group');

function element(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

const ofItem = (text, item) => text.replaceAll('items', `${item}s`).replaceAll('item', item);

// The number of trials, or the reason why there is no value.
function trialsText(cell, reason) {
  const [value, , , n, kind] = cell;
  if (value === null) return reason;
  return (n === 1 ? 'n=1, no interval' : `n=${n}`) + (kind === 'model' ? ', estimated' : '');
}

function tileRow(key, column, item) {
  const row = document.querySelector(`#results tr[data-case="${key}"]`);
  const cell = row.cells[columnHeads.get(column).cellIndex];
  const data = cellOf(key, column);
  const mark = row.cells[1].firstElementChild.cloneNode(true);
  const outline = mark.firstElementChild;
  if (data[4] === 'model') {
    outline.setAttribute('stroke', outline.getAttribute('fill'));
    outline.setAttribute('fill', 'none');
  }
  const framework = element('span', 'framework', '');
  framework.append(mark, element('bdi', '', model.cases[key].name));
  const shown = element('span', data[0] === null ? 'missing' : 'known', '');
  shown.dataset.cell = `${key}|${column}`;
  shown.append(element('strong', 'value', cell.firstElementChild.textContent), ' ');
  const small = cell.querySelector('small');
  if (data[0] !== null) {
    const unit = element('span', 'unit', ofItem(columnHeads.get(column).querySelector('.unit').textContent, item));
    unit.dataset.unit = column;
    shown.append(unit, ' ');
    const intensityMark = cell.querySelector('.intensity-kind');
    if (intensityMark) shown.append(intensityMark.cloneNode(true), ' ');
  }
  shown.append(element('span', 'interval', (data[1] === null && !data[6]) || !small ? '' : small.textContent));
  const node = element('div', 'tile-row', '');
  node.append(framework, shown, element('span', 'n', trialsText(data, small ? small.textContent : '')));
  return node;
}

function showTiles(key) {
  const group = tileGroups.get(key);
  if (!group || !tileGroup) return;
  const title = tileGroup.querySelector('.tiles-title');
  title.replaceChildren(element('bdi', '', group.title));
  if (group.detail) title.append(' ', element('span', 'detail', group.detail));
  tileGroup.querySelectorAll('.tile').forEach((tile) => {
    const column = tile.dataset.key;
    const head = element('h3', '', ofItem(columnHeads.get(column).querySelector('button').textContent, group.item));
    tile.replaceChildren(head, ...group.cases.map((caseKey) => tileRow(caseKey, column, group.item)));
  });
  tileGroup.querySelectorAll(':scope > p').forEach((sentence) => sentence.remove());
  tileGroup.append(...group.sentences.map((sentence) => element('p', '', sentence)));
  showFormulas(group);
  fillFormulas(currentInputs);
  if (form) fillDays(currentInputs);
  if (taskChooser) taskChooser.value = key;
}
