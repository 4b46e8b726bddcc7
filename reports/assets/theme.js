// Before the first paint: the theme of the link, else the reader's last choice, else that of the system.
(function () {
  var linked = /(?:^#|&)theme=(dark|light)/.exec(location.hash);
  var kept = null;
  try { kept = localStorage.getItem('joulemark-theme'); } catch (error) { /* a sandboxed page has no storage */ }
  var system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  var theme = linked ? linked[1] : kept === 'dark' || kept === 'light' ? kept : system;
  document.documentElement.dataset.theme = theme;
  document.documentElement.classList.add('js');
})();
