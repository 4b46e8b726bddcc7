// A search field hides the rows of its table that lack one of its words.
document.querySelectorAll('input[data-search]').forEach((input) => {
  const { rows } = document.getElementById(input.dataset.search).tBodies[0];
  const texts = new Map([...rows].map((row) => [row, row.textContent.toLowerCase()]));
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, text] of texts) {
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    input.closest('p').querySelector('output').textContent = `${shown} of ${texts.size} machines`;
  });
});
