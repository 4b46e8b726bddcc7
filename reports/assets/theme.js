// Before the first paint: the theme of the link, else of the reader's last choice, else of the system.
(function () {
  var found = /(?:^#|&)theme=(dark|light)/.exec(location.hash);
  var kept = null;
  try { kept = localStorage.getItem('joulemark-theme'); } catch (error) { /* a sandboxed page has no storage */ }
  var system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  var theme = found ? found[1] : kept === 'dark' || kept === 'light' ? kept : system;
  document.documentElement.dataset.theme = theme;
  document.documentElement.classList.add('js');
})();
