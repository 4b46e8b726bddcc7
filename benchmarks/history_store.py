"""What a large store costs: 20,000 results (1,000 runs of 20 cases) and 200,000 (10,000 runs).

Goals: `history` of one case and `compare` of two runs take at most 3 times `python -c "import duckdb, pandas"` and
500 MB with 20,000 results, and at most 5 times that time with 200,000. Also printed: `list --runs`, `show latest`,
what making the rows of one run costs, and what they take on the disk.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ratios import interleaved, report

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from report_files import summarised, trials
from run_files import case, run_file

from suite.results import parquet
from suite.results.records import RunFile, parse

ROUNDS = 5
SMALL, LARGE = 1_000, 10_000
CASES = 20
BOUND = ("history", "compare")
CODE = "import sys; from suite.cli import main; main()"
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


def fill(folder: Path, runs: int) -> float:
    """Write `runs` runs whose speed varies by 2 %, with a step of 5 % at two thirds; seconds to make a run's rows."""
    noise = random.Random(1)
    document = base().model_dump(mode="json")
    first = [entry["summary"] for entry in base().model_dump(mode="json")["cases"]]
    spent = 0.0
    for number in range(runs):
        moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        run_id = f"{moment:%Y%m%dT%H%M%SZ}-{number:04x}"
        document["run"] |= {"id": run_id, "started_at": moment.isoformat()}
        for entry, summary in zip(document["cases"], first, strict=True):
            factor = (1 + noise.gauss(0, 0.02)) * (1.05 if number > 2 * runs / 3 else 1)
            for name, quantity in summary.items():
                scaled = factor if name == "throughput" else 1 / factor
                for end in ("value", "low", "high"):
                    if quantity[end] is not None:
                        entry["summary"][name][end] = quantity[end] * scaled
        path = folder / f"{run_id}.json"
        path.write_text(json.dumps(document))
        start = time.monotonic()
        parquet.keep(path, parse(path.read_text(), path.name))
        spent += time.monotonic() - start
    return spent / runs


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


def judged(name: str, small: list[str], large: list[str]) -> list[bool]:
    """Print what one verb costs; whether each of its goals is met."""
    bound = name in BOUND
    start = interleaved(lambda: seconds(*small), imports, ROUNDS)
    growth = interleaved(lambda: seconds(*large), lambda: seconds(*small), ROUNDS)
    peak, most = (watched(*arguments)[1] / 1e6 for arguments in (small, large))
    met = [not bound or start.median <= 3, not bound or growth.median <= 5, not bound or peak <= 500]
    report(f"{name}, 20,000 results / import duckdb, pandas", start, "<= 3" if bound else "none", met[0])
    report(f"{name}, 200,000 / 20,000 results", growth, "<= 5" if bound else "none", met[1])
    goal = "   goal: <= 500 MB with 20,000" if bound else ""
    print(f"{'met ' if met[2] else 'MISS'}  {name}, peak memory: {peak:.0f} MB and {most:.0f} MB{goal}", flush=True)
    return met


def main() -> bool:
    """Print all; whether the goals are met."""
    met = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = {size: Path(scratch) / str(size) for size in (SMALL, LARGE)}
        for size, folder in folders.items():
            folder.mkdir()
            made_s = fill(folder, size)
            kept = sum(path.stat().st_size for path in folder.glob("*.parquet")) / size
            print(f"      {size} runs: rows made in {1e3 * made_s:.0f} ms a run, {kept / 1e3:.1f} kB a run", flush=True)
        small, large = (verbs(folder) for folder in folders.values())
        for name in small:
            met += judged(name, small[name], large[name])
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
