// Sorting: a click on a heading sorts by it, best first; a second click reverses the order. Rows without a value stay at
// the end either way.
function sortTable(table, index, order) {
  const heads = [...table.tHead.rows[0].cells];
  const { text } = heads[index].dataset;
  const sign = order === 'ascending' ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, key: text ? row.cells[index].textContent : row.cells[index].dataset.value }));
  rows.sort((a, b) => {
    const missing = (a.key === '') - (b.key === '');
    const difference = text ? a.key.localeCompare(b.key) : a.key - b.key;
    return missing || sign * difference || a.place - b.place;
  });
  table.tBodies[0].append(...rows.map((entry) => entry.row));
  heads.forEach((head) => head.removeAttribute('aria-sort'));
  heads[index].setAttribute('aria-sort', order);
}

const nameOf = (head) => head.dataset.key ?? head.dataset.text;

// Takes `throughput.descending`, as it stands in the address.
function sortBy(state) {
  const [name, order] = state.split('.');
  for (const table of document.querySelectorAll('table.sortable')) {
    const index = [...table.tHead.rows[0].cells].findIndex((head) => nameOf(head) === name);
    if (index >= 0) sortTable(table, index, order === 'ascending' ? 'ascending' : 'descending');
  }
}

document.querySelectorAll('table.sortable').forEach((table) => [...table.tHead.rows[0].cells].forEach((head, index) => {
  // Headings become buttons here, since they sort nothing without JavaScript.
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = head.firstChild.textContent.trim();
  head.firstChild.replaceWith(button);
  button.addEventListener('click', () => {
    const first = head.dataset.best === 'higher' ? 'descending' : 'ascending';
    const second = first === 'ascending' ? 'descending' : 'ascending';
    const order = head.getAttribute('aria-sort') === first ? second : first;
    sortTable(table, index, order);
    setAddress({ sort: `${nameOf(head)}.${order}` });
  });
}));

// Head and rows of a long data table, raw. Cases are given by their numbers, and a results column stands for its cells.
function rowsOf(id) {
  const [head, column, rows] = payload.tables[id];
  return [head, rows.map(([first, ...values]) => {
    if (typeof first !== 'number') return [first, ...values];
    const key = `c${first}`;
    const name = model.cases[key].full_name;
    return column ? [name, ...valuesOf(key, column), cellOf(key, column)[4] ?? 'clock'] : [name, ...values];
  })];
}

// A long data table is made whole when it is first opened.
function dataTable([head, rows], title) {
  const table = document.createElement('table');
  table.className = 'data';
  table.createCaption().textContent = title;
  const headRow = table.createTHead().insertRow();
  head.forEach((name, place) => {
    const cell = document.createElement('th');
    if (rows.length && typeof rows[0][place] === 'number') cell.className = 'num';
    cell.scope = 'col';
    cell.textContent = name;
    headRow.append(cell);
  });
  const body = table.createTBody();
  for (const row of rows) {
    const bodyRow = body.insertRow();
    row.forEach((value, place) => {
      const cell = document.createElement(place ? 'td' : 'th');
      if (!place) cell.scope = 'row';
      if (typeof value === 'number') {
        cell.className = 'num';
        cell.dataset.value = value;
        cell.textContent = Number(value.toPrecision(6));
      } else {
        const text = document.createElement('bdi');
        text.textContent = value === null ? 'not measured' : value;
        cell.append(text);
      }
      bodyRow.append(cell);
    });
  }
  return table;
}

document.querySelectorAll('details[data-table]').forEach((details) => details.addEventListener('toggle', () => {
  const hint = details.querySelector('.hint');
  if (!details.open || !hint) return;
  hint.remove();
  const { table } = details.dataset;
  details.querySelector('.scroll').replaceChildren(dataTable(rowsOf(table), payload.figures[table].title));
}));
