"""Writers that are killed: `python store_drill.py DIRECTORY KILLS SEED` prints the ids of the runs that were finished.

Two processes at once write runs of two cases as the suite does: journal, trials, run file, rows. Both are killed
(SIGKILL) after a random time; KILLS times. In the end each writes one run in peace.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

import duckdb  # noqa: F401  imported before the forks, so that a short life is not all imports
from run_files import case, run_file, trial

from joulemark.suite.records import Case, RunFile, read
from joulemark.suite.records.journal import SUFFIX, Journal
from joulemark.suite.results.assemble import finish
from joulemark.suite.results.history import parquet

LONGEST_S = 0.25
"""Of a life: a few runs fit in on a quiet machine."""


def planned(run_id: str) -> RunFile:
    """A run of two cases in one round, nothing of it done."""
    waiting = {"status": "skipped", "reason_code": "not_attempted", "reason": "not attempted"}
    cases = [
        case(trials=[], framework=framework, mode=mode).model_copy(update=waiting)
        for framework, mode in (("pytorch", "eager"), ("tensorflow", "graph"))
    ]
    file = run_file(cases, id=run_id, traces=(), idle=(), floor=())
    return file.model_copy(update={"run": file.run.model_copy(update={"rounds": 1, "finished_at": None})})


def write_run(directory: Path, run_id: str) -> None:
    """One run from plan to rows."""
    file = planned(run_id)
    made = Journal(directory / f"{run_id}{SUFFIX}", file)
    for one in file.cases:
        done(made, one)
    made.end("2026-11-01T12:02:00Z")
    made.close()
    target = finish(made.path)
    parquet.keep(target, read(target))


def done(made: Journal, one: Case) -> None:
    """A trial of `one`."""
    made.trial(one, trial(1, start_s=10.0, readings=()))


def writer(directory: Path, name: str, told: int, runs: int | None) -> None:
    """Write runs, and tell each one's id after it is finished; for ever where `runs` is None."""
    number = 0
    while runs is None or number < runs:
        run_id = f"20261101T120000Z-{name}-{number}"
        write_run(directory, run_id)
        os.write(told, f"{run_id}\n".encode())
        number += 1


def life(directory: Path, names: list[str], told: int, runs: int | None) -> list[int]:
    """Start a writer for each name; their process ids."""
    children = []
    for name in names:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(KeyboardInterrupt):
                writer(directory, name, told, runs)
            os._exit(0)
        children.append(child)
    return children


def drill(directory: Path, kills: int, seed: int) -> list[str]:
    """Ids of the runs that were finished."""
    moments = random.Random(seed)
    heard, told = os.pipe()
    finished = b""
    for number in range(kills):
        children = life(directory, [f"{number:03d}a", f"{number:03d}b"], told, None)
        time.sleep(moments.uniform(0, LONGEST_S))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
        finished += drained(heard)
    for child in life(directory, ["zzza", "zzzb"], told, 1):
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    finished += drained(heard)
    return finished.decode().split()


def drained(heard: int) -> bytes:
    """What was told so far."""
    found = b""
    while select.select([heard], [], [], 0)[0]:
        found += os.read(heard, 65536)
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(drill(folder, int(sys.argv[2]), int(sys.argv[3]))))
