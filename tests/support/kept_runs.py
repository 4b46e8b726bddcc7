"""Runs kept in a home, with three trials per case around 1e5 items/s."""

from __future__ import annotations

from pathlib import Path

from comparisons import case_with_rates
from run_files import energy, run_file, starting_at

from joulemark.suite.records import Case, write

RATES = (1e5, 1.001e5, 0.999e5)


def case_at(factor: float = 1.0, joules: float = 100.0, **fields: object) -> Case:
    """Return a case that runs at `RATES` times `factor` and uses `joules` per trial of 2 s."""
    return case_with_rates(*(rate * factor for rate in RATES), readings=[energy(joules)], **fields)


def keep_run(home: Path, day: int, *cases: Case, **fields: object) -> str:
    """Keep a run made on a day of November 2026; return its id."""
    made = run_file(list(cases), id=f"202611{day:02d}T120000Z-00{day:02d}", **fields)
    write(starting_at(made, f"2026-11-{day:02d}T12:00:00Z"), home / "runs" / f"{made.run.id}.json")
    return made.run.id
