"""Writers of runs that are killed: `python store_drill.py DIRECTORY KILLS SEED` prints the ids of finished runs.

Two processes at once write runs of two cases as the suite does: journal, trials, run file, rows. Both are killed
(SIGKILL) after a random time, KILLS times over. In the end each writes one run undisturbed.
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

import duckdb  # noqa: F401  imported before the forks: importing it takes longer than a writer lives
from journal_files import journal_path, planned_run, record_trial

from joulemark.suite.records.journal import Journal
from joulemark.suite.results.assemble import finish
from joulemark.suite.results.history import parquet
from joulemark.suite.results.run_files import read

MAX_LIFE_S = 0.25
"""Longest life of a writer: enough for a few runs on an idle machine."""


def write_run(directory: Path, run_id: str) -> None:
    """Write one run from plan to rows."""
    planned = planned_run(run_id, rounds=1)
    journal = Journal(journal_path(directory, run_id), planned)
    for case in planned.cases:
        record_trial(journal, case)
    journal.end("2026-11-01T12:02:00Z")
    journal.close()
    target = finish(journal.path)
    parquet.keep(target, read(target))


def write_runs(directory: Path, name: str, pipe: int, count: int | None) -> None:
    """Write `count` runs, endlessly if it is None, and send the id of each through `pipe` once it is finished."""
    number = 0
    while count is None or number < count:
        run_id = f"20261101T120000Z-{name}-{number}"
        write_run(directory, run_id)
        os.write(pipe, f"{run_id}\n".encode())
        number += 1


def start_writers(directory: Path, names: list[str], pipe: int, count: int | None) -> list[int]:
    """Start a writer for each name, and return their process ids."""
    children = []
    for name in names:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(KeyboardInterrupt):
                write_runs(directory, name, pipe, count)
            os._exit(0)
        children.append(child)
    return children


def drill(directory: Path, kills: int, seed: int) -> list[str]:
    """Return the ids of the runs that were finished."""
    lives = random.Random(seed)
    receiver, sender = os.pipe()
    finished = b""
    for number in range(kills):
        children = start_writers(directory, [f"{number:03d}a", f"{number:03d}b"], sender, None)
        time.sleep(lives.uniform(0, MAX_LIFE_S))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
        finished += received(receiver)
    for child in start_writers(directory, ["zzza", "zzzb"], sender, 1):
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    finished += received(receiver)
    return finished.decode().split()


def received(receiver: int) -> bytes:
    """Return what was sent so far."""
    content = b""
    while select.select([receiver], [], [], 0)[0]:
        content += os.read(receiver, 65536)
    return content


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(drill(folder, int(sys.argv[2]), int(sys.argv[3]))))
