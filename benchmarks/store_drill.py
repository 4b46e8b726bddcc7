"""The store drill in full: two writers at once, killed 200 times, then every finished run is read.

`python -m benchmarks.store_drill [KILLS]`. Goal: no finished run is lost or unreadable, and none without its rows.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.results import store
from joulemark.suite.results.history.directory import open_directory

SUPPORT = Path(__file__).parent.parent / "tests" / "support"
KILLS = 200


def main(kills: int) -> bool:
    """Print what was found; whether nothing is lost."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        done = subprocess.run(
            [sys.executable, SUPPORT / "store_drill.py", folder, str(kills), "1"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        finished = json.loads(done.stdout)
        lost = [run_id for run_id in finished if not complete(run_id, folder)]
        rows = open_directory(folder, ["run_id", "case_id"])
        with_rows = {run_id for (run_id,) in rows.select("DISTINCT run_id", "WHERE case_id IS NOT NULL")}
        hidden = [path.name for path in store.kept_runs(folder) if path.name.startswith(".")]
        left = len(list(folder.glob(".*.tmp")))
        cut = len(list(folder.glob("*.journal")))
    met = not lost and not hidden and set(finished) <= with_rows
    print(
        f"{'met ' if met else 'MISS'}  store drill: {kills} x 2 writers killed, {len(finished)} finished, {len(lost)} "
        f"lost, {len(set(finished) - with_rows)} without rows; {cut} journals cut off, {len(rows.unreadable)} of them "
        f"before their first line; {left} temporaries, {len(hidden)} taken for results"
    )
    return met


def complete(run_id: str, folder: Path) -> bool:
    """Whether the run can be read and has all its trials."""
    try:
        return store.load(run_id, folder).run.complete
    except UsageError as error:
        print(error)
        return False


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS) else 1)
