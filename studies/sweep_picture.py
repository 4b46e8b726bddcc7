"""The picture of docs/sweep.md: `PYTHONPATH=tests/support python -m studies.sweep_picture`.

The page's chart of a sweep of the simulated GPU in `tests/support/simulated_board.py`. Needs playwright and Chromium.
"""

from __future__ import annotations

from simulated_board import LIMITS_W
from swept_runs import make_run

from joulemark.reports.figures.sweep import figures
from joulemark.reports.model import build
from studies.report_pictures import take_pictures


def main() -> None:
    """Write the pictures of the joules of the GPU, light and dark."""
    run_file = make_run(device="cuda:0", limits_w=LIMITS_W, confirmed=LIMITS_W, zone="CH")
    take_pictures("sweep", run_file, figures(build([run_file]))[:1])


if __name__ == "__main__":
    main()
