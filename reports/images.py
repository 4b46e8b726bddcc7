"""Write each figure as an image file, through kaleido and an installed browser; both are optional."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure, plotly_figure
from joulemark.reports.sections import all_figures
from joulemark.reports.theme import TEMPLATES
from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.system.output import output_file
from joulemark.suite.system.scratch import scratch_directory

FORMATS = ("svg", "png", "pdf")
_WIDTH_PX = 1000
_SCALE = 2
"""Pixels of a PNG per pixel of the figure: sharp on a screen of twice the usual density."""
_NO_BROWSER = (
    "images need Chrome or Chromium, and kaleido found neither. Install your system's chromium package, or run "
    "plotly_get_chrome. The page itself (joulemark report RUN) does not need them: its buttons save each chart."
)


def write_images(run_files: Sequence[RunFile], directory: Path, format: str, anonymous: bool = False) -> list[Path]:
    """Write every figure of the report into `directory` as `<figure>.<format>`, in the light theme.

    Args:
        run_files: The runs, in order.
        directory: Made if it does not exist.
        format: `svg`, `png` or `pdf`.
        anonymous: Whether to leave out host name, user names and paths.

    Returns:
        The paths.

    Raises:
        UsageError: If kaleido or a browser is missing, the format is unknown, or a file cannot be written.
    """
    if format not in FORMATS:
        raise UsageError(f"--image-format is {format!r}; it must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    if find_spec("kaleido") is None:
        raise UsageError("images need kaleido, which is not installed: pip install 'joulemark[images]'.")
    drawn = all_figures(build(run_files, anonymous))
    names = [f"{figure.id}.{format}" for figure in drawn]
    with scratch_directory() as scratch:
        _draw(drawn, [scratch / name for name in names])
        for name in names:
            with output_file(directory / name) as temporary:
                shutil.copyfile(scratch / name, temporary)
    return [directory / name for name in names]


def _draw(drawn: Sequence[Figure], paths: Sequence[Path]) -> None:
    from plotly import io

    plotly_figures = [plotly_figure(_with_title(figure), _template()) for figure in drawn]
    try:
        io.write_images(plotly_figures, list(paths), width=_WIDTH_PX, scale=_SCALE)
    except RuntimeError:  # how plotly reports a missing browser, and nothing else once kaleido is there
        raise UsageError(_NO_BROWSER) from None


def _with_title(figure: Figure) -> Figure:
    """Return the figure with its title in the plot: an image stands alone."""
    title = {"text": for_plotly(figure.title), "x": 0.01, "xanchor": "left", "font": {"size": 16}}
    margin = {**figure.layout["margin"], "t": 76}
    height = figure.layout["height"] + 68
    return replace(figure, layout={**figure.layout, "title": title, "margin": margin, "height": height})


def _template() -> dict[str, Any]:
    """Return the light template on a white background."""
    light = TEMPLATES["light"]
    return {**light, "layout": {**light["layout"], "paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"}}
