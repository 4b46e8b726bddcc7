"""The picture of docs/sweep.md: `PYTHONPATH=tests/support python -m studies.sweep_picture`.

The page's chart of a sweep of the simulated GPU in `tests/support/simulated_board.py`. Needs playwright and Chromium.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from simulated_board import LIMITS_W
from swept_runs import make_run

from benchmarks.browser import chromium
from joulemark.reports import html
from joulemark.reports.figures.sweep import figures
from joulemark.reports.model import build
from studies.report_pictures import CHART_WIDTH, HEIGHT, SCHEMES, Gallery, take_pictures

SWEEP = Gallery(name="sweep", title="", run="", about="", screenshots=("", ""))


def main() -> None:
    """Write the pictures of the joules of the GPU, light and dark."""
    run_file = make_run(device="cuda:0", limits_w=LIMITS_W, confirmed=LIMITS_W, zone="CH")
    chart = figures(build([run_file]))[0]
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = html.write([run_file], Path(folder) / "page.html")
        for scheme in SCHEMES:
            size = {"width": CHART_WIDTH, "height": HEIGHT}
            tab = browser.new_page(viewport=size, color_scheme=scheme, bypass_csp=True)
            tab.goto(page.as_uri())
            take_pictures(tab, SWEEP, [chart], scheme)
            tab.close()


if __name__ == "__main__":
    main()
