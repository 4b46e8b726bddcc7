"""Plain data -> figures, in the order of the page. One file an idea."""

from joulemark.reports.figures.base import Figure
from joulemark.reports.figures.page import figures, plotly_figure, sections

__all__ = ["Figure", "figures", "plotly_figure", "sections"]
