"""The cost of a large store: 20,000 results (1,000 runs of 20 cases) and 200,000 (10,000 runs).

Goals: with 20,000 results, `history` of one case and `compare` of two runs take at most 3 times
`python -c "import duckdb, pandas"` and 500 MB; with 200,000, at most 5 times the time with 20,000. `list --runs`,
`show latest` and the size of the rows on disk are printed too.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from command import COMMAND
from report_files import summarised, trials
from run_files import case, run_file

from benchmarks.ratios import interleaved, report
from joulemark.suite.records import RunFile
from joulemark.suite.results.history import collected, directory, parquet
from joulemark.suite.results.run_files import parse

ROUNDS = 3
SMALL, LARGE = 1_000, 10_000
CASES = 20
RUN, STARTED = "20261101T120000Z-a1b2", "2026-11-01T12:00:00Z"
"""Id and start of the run that the others are copied from."""
WITH_GOAL = ("history", "compare")
WRAPPER = """
import resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(done.returncode, time.monotonic() - start, peak * 1024)
"""


def template() -> RunFile:
    """Return a run of 20 cases in three rounds."""
    cases = []
    for i in range(CASES):
        framework, mode = (("pytorch", "eager"), ("tensorflow", "graph"))[i % 2]
        cases.append(case(f"workload{i // 2:02d}", framework, mode, trials=trials(100.0 + i, 50.0, 8.0 + i)))
    return summarised(run_file(cases))


def fill(folder: Path, runs: int) -> None:
    """Write `runs` runs with their rows. In the rows, speed varies by 2 % and rises by 5 % after two thirds of them."""
    noise = random.Random(1)
    text, first = template().model_dump_json(), folder / "first.json"
    first.write_text(text)
    rows = parquet.keep(first, parse(text, first.name))
    assert rows is not None
    with duckdb.connect() as connection:
        for number in range(runs):
            started_at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=number)
            run_id = f"{started_at:%Y%m%dT%H%M%SZ}-{number:04x}"
            path = folder / f"{run_id}.json"
            path.write_text(text.replace(RUN, run_id).replace(STARTED, f"{started_at:%Y-%m-%dT%H:%M:%SZ}"))
            factor = (1 + noise.gauss(0, 0.02)) * (1.05 if number > 2 * runs / 3 else 1)
            connection.execute(
                f"COPY (SELECT * REPLACE (? AS run_id, ?::TIMESTAMP AS started_at, throughput * ? AS throughput) "
                f"FROM read_parquet('{rows}')) TO '{parquet.rows_path(path)}' (FORMAT parquet, COMPRESSION zstd)",
                [run_id, started_at.replace(tzinfo=None), factor],
            )
            mtime_ns = path.stat().st_mtime_ns
            os.utime(parquet.rows_path(path), ns=(mtime_ns, mtime_ns))
    first.unlink()
    rows.unlink()


def collect(folder: Path, runs: int) -> None:
    """Open the store for the first time, which collects its rows in one file, and print what that costs."""
    start = time.monotonic()
    directory.open_directory(folder, ["run_id"])
    duration_s, size = time.monotonic() - start, (folder / collected.NAME).stat().st_size
    report(f"collecting the rows of {runs:,} runs, once", f"{duration_s:.1f} s, {size / 1e6:.1f} MB")


def seconds(*command: str) -> float:
    """Return the wall time of a command that must succeed, seconds."""
    return cost(*command)[0]


def cost(*command: str) -> tuple[float, float]:
    """Return the wall time, seconds, and the peak resident memory, bytes, of a command that must succeed."""
    done = subprocess.run([sys.executable, "-c", WRAPPER, *command], stdout=subprocess.PIPE, text=True, check=True)
    code, wall_s, peak_bytes = done.stdout.split()
    assert code == "0", command
    return float(wall_s), float(peak_bytes)


def import_s() -> float:
    """Return the time that the yardstick takes, seconds."""
    return seconds(sys.executable, "-P", "-c", "import duckdb, pandas")


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the commands to measure, by name."""
    ids = sorted(path.stem for path in folder.glob("*.json"))
    arguments = {
        "history": ["history", "-k", "workload07 and pytorch", "--from", str(folder)],
        "compare": ["compare", ids[0], ids[-1], "--out", str(folder)],
        "list --runs": ["list", "--runs", "--json", "--out", str(folder)],
        "show latest": ["show", "latest", "--out", str(folder)],
    }
    return {name: [*COMMAND, *each] for name, each in arguments.items()}


def meets_absolute_goals(name: str, small: list[str]) -> bool:
    """Print the cost of a command with 20,000 results; return whether its goals are met."""
    has_goal = name in WITH_GOAL
    ratio = interleaved(lambda: seconds(*small), import_s, ROUNDS)
    peak_mb = cost(*small)[1] / 1e6
    time_goal, memory_goal = ("<= 3", "<= 500 MB") if has_goal else (None, None)
    fast = report(
        f"{name}, 20,000 results / import duckdb, pandas", ratio, time_goal, not has_goal or ratio.median <= 3
    )
    lean = report(f"{name}, peak memory", f"{peak_mb:.0f} MB", memory_goal, not has_goal or peak_mb <= 500)
    return fast and lean


def meets_growth_goal(name: str, small: list[str], large: list[str]) -> bool:
    """Print the cost of a command with ten times the results; return whether its goal is met."""
    has_goal = name in WITH_GOAL
    growth = interleaved(lambda: seconds(*large), lambda: seconds(*small), ROUNDS)
    report(f"{name}, 200,000 results, peak memory", f"{cost(*large)[1] / 1e6:.0f} MB")
    goal = "<= 5" if has_goal else None
    return report(f"{name}, 200,000 / 20,000 results", growth, goal, not has_goal or growth.median <= 5)


def main() -> bool:
    """Print all costs; return whether the goals are met."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = {runs: Path(scratch) / str(runs) for runs in (SMALL, LARGE)}
        for runs, folder in folders.items():
            folder.mkdir()
            fill(folder, runs)
            collect(folder, runs)
        rows_bytes = sum(path.stat().st_size for path in folders[SMALL].glob("*.parquet")) / SMALL
        report(f"rows on disk, {CASES} cases", f"{rows_bytes / 1e3:.1f} kB per run")
        small, large = (commands(folder) for folder in folders.values())
        met = [meets_absolute_goals(name, command) for name, command in small.items()]
        met += [meets_growth_goal(name, command, large[name]) for name, command in small.items()]
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
