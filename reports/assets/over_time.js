// The page of `joulemark history`: charts and a theme, nothing else moves.
document.getElementById('theme').addEventListener('click', switchTheme);
startCharts();
