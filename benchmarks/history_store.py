"""What a large store costs: 20,000 results (1,000 runs of 20 cases) and 200,000 (10,000 runs).

Goals: `history` of one case and `compare` of two runs take at most 3 times `python -c "import duckdb, pandas"` and
500 MB with 20,000 results, and at most 5 times that time with 200,000. Also printed: `list --runs`, `show latest`, and
what rows take on the disk.
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

from benchmarks.ratios import interleaved, report

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from report_files import summarised, trials
from run_files import case, run_file

from joulemark.suite.records import RunFile, parse
from joulemark.suite.results.history import collected, directory, parquet

ROUNDS = 3
SMALL, LARGE = 1_000, 10_000
CASES = 20
RUN, STARTED = "20261101T120000Z-a1b2", "2026-11-01T12:00:00Z"
"""Of the run that the others are made of."""
BOUND = ("history", "compare")
CODE = "import sys; from joulemark.suite.cli.app import main; main()"
WATCHED = """
import resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(done.returncode, time.monotonic() - start, peak * 1024)
"""


def base() -> RunFile:
    """A run of 20 cases in three rounds."""
    found = []
    for i in range(CASES):
        framework, mode = (("pytorch", "eager"), ("tensorflow", "graph"))[i % 2]
        found.append(case(f"workload{i // 2:02d}", framework, mode, trials=trials(100.0 + i, 50.0, 8.0 + i)))
    return summarised(run_file(found))


def fill(folder: Path, runs: int) -> None:
    """Write `runs` runs with their rows. In the rows speed varies by 2 %, with a step of 5 % at two thirds."""
    noise = random.Random(1)
    text, first = base().model_dump_json(), folder / "first.json"
    first.write_text(text)
    rows = parquet.keep(first, parse(text, first.name))
    assert rows is not None
    with duckdb.connect() as connection:
        for number in range(runs):
            moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=number)
            run_id = f"{moment:%Y%m%dT%H%M%SZ}-{number:04x}"
            path = folder / f"{run_id}.json"
            path.write_text(text.replace(RUN, run_id).replace(STARTED, f"{moment:%Y-%m-%dT%H:%M:%SZ}"))
            factor = (1 + noise.gauss(0, 0.02)) * (1.05 if number > 2 * runs / 3 else 1)
            connection.execute(
                f"COPY (SELECT * REPLACE (? AS run_id, ?::TIMESTAMP AS started_at, throughput * ? AS throughput) "
                f"FROM read_parquet('{rows}')) TO '{parquet.rows_path(path)}' (FORMAT parquet, COMPRESSION zstd)",
                [run_id, moment.replace(tzinfo=None), factor],
            )
            at_ns = path.stat().st_mtime_ns
            os.utime(parquet.rows_path(path), ns=(at_ns, at_ns))
    first.unlink()
    rows.unlink()


def collect(folder: Path) -> None:
    """The first look at a store, which collects its rows in one file: print what that costs once."""
    start = time.monotonic()
    directory.open_directory(folder, ["run_id"])
    taken, size = time.monotonic() - start, (folder / collected.NAME).stat().st_size
    print(f"      rows collected: {taken:.1f} s, {size / 1e6:.1f} MB", flush=True)


def seconds(*arguments: str) -> float:
    """Wall time of a Python process, which must succeed."""
    return watched(*arguments)[0]


def watched(*arguments: str) -> tuple[float, float]:
    """Wall time in seconds and peak resident memory in bytes of a Python process, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, sys.executable, "-P", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    code, wall, peak = done.stdout.split()
    assert code == "0", arguments
    return float(wall), float(peak)


def verbs(folder: Path) -> dict[str, list[str]]:
    """What is measured, by name."""
    ids = sorted(path.stem for path in folder.glob("*.json"))
    place = str(folder)
    return {
        "history": ["-c", CODE, "history", "-k", "workload07 and pytorch", "--from", place],
        "compare": ["-c", CODE, "compare", ids[0], ids[-1], "--out", place],
        "list --runs": ["-c", CODE, "list", "--runs", "--json", "--out", place],
        "show latest": ["-c", CODE, "show", "latest", "--out", place],
    }


def imports() -> float:
    """The yardstick."""
    return seconds("-c", "import duckdb, pandas")


def judged(name: str, small: list[str]) -> list[bool]:
    """Print what one verb costs with 20,000 results; whether each of its goals is met."""
    bound = name in BOUND
    start = interleaved(lambda: seconds(*small), imports, ROUNDS)
    peak = watched(*small)[1] / 1e6
    met = [not bound or start.median <= 3, not bound or peak <= 500]
    report(f"{name}, 20,000 results / import duckdb, pandas", start, "<= 3" if bound else "none", met[0])
    goal = "   goal: <= 500 MB" if bound else ""
    print(f"{'met ' if met[1] else 'MISS'}  {name}, peak memory: {peak:.0f} MB{goal}", flush=True)
    return met


def grown(name: str, small: list[str], large: list[str]) -> bool:
    """Print how cost grows with ten times the results; whether the goal is met."""
    growth = interleaved(lambda: seconds(*large), lambda: seconds(*small), ROUNDS)
    bound = name in BOUND
    print(f"      {name}, 200,000 results: {watched(*large)[1] / 1e6:.0f} MB at most")
    met = not bound or growth.median <= 5
    return report(f"{name}, 200,000 / 20,000 results", growth, "<= 5" if bound else "none", met)


def main() -> bool:
    """Print all; whether the goals are met."""
    met = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / str(size) for size in (SMALL, LARGE)]
        for folder in folders:
            folder.mkdir()
        fill(folders[0], SMALL)
        collect(folders[0])
        kept = sum(path.stat().st_size for path in folders[0].glob("*.parquet")) / SMALL
        print(f"      {SMALL} runs of {CASES} cases: rows of {kept / 1e3:.1f} kB a run", flush=True)
        small = verbs(folders[0])
        for name, arguments in small.items():
            met += judged(name, arguments)
        fill(folders[1], LARGE)
        collect(folders[1])
        large = verbs(folders[1])
        for name, arguments in small.items():
            met.append(grown(name, arguments, large[name]))
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
