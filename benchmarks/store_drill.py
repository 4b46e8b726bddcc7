"""The full drill of the store: two concurrent writers, killed 200 times, after which every finished run is read.

`python -m benchmarks.store_drill [KILLS]`. Goal: no finished run is lost, unreadable or without its rows.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from places import SUPPORT

from benchmarks.ratios import report
from joulemark.suite.errors import UsageError
from joulemark.suite.results import store
from joulemark.suite.results.history.directory import open_directory

KILLS = 200


def main(kills: int) -> bool:
    """Print the outcome; return whether nothing was lost."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        done = subprocess.run(
            [sys.executable, SUPPORT / "store_drill.py", folder, str(kills), "1"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        finished = json.loads(done.stdout)
        lost = [run_id for run_id in finished if not is_complete(run_id, folder)]
        rows = open_directory(folder, ["run_id", "case_id"])
        with_rows = {run_id for (run_id,) in rows.select("DISTINCT run_id", "WHERE case_id IS NOT NULL")}
        temporary_files = len(list(folder.glob(".*.tmp")))
        mistaken = [path.name for path in store.kept_runs(folder) if path.name.startswith(".")]
        journals = len(list(folder.glob("*.journal")))
    without_rows = set(finished) - with_rows
    summary = (
        f"{len(finished)} runs finished, {len(lost)} lost, {len(without_rows)} without rows; "
        f"{journals} journals cut short, {len(rows.unreadable)} of them before the first line; "
        f"{temporary_files} temporary files, {len(mistaken)} mistaken for results"
    )
    met = not (lost or mistaken or without_rows)
    return report(f"store drill, {kills} x 2 writers killed", summary, "none lost, none without rows", met)


def is_complete(run_id: str, folder: Path) -> bool:
    """Return whether the run can be read and has all its trials."""
    try:
        return store.load(run_id, folder).run.complete
    except UsageError as error:
        print(error)
        return False


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS) else 1)
