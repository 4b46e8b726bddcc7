// The page of `joulemark history`: charts and the theme.
document.getElementById('theme').addEventListener('click', switchTheme);
startCharts();
