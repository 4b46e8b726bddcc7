"""The pool of trials that the gate is studied on: its sessions, and run files made from their trials.

`python -m studies.gate_sessions DIRECTORY [FILE]` packs the sessions that `gate_pool.py` wrote into the pool,
`docs/results/gate-pool-2-cores.json.gz`.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.run_files import read

RESULTS = Path(__file__).parents[1] / "docs" / "results"
POOL = RESULTS / "gate-pool-2-cores.json.gz"
BLOCK = 4
"""Consecutive rounds that are resampled together, which preserves noise that lasts for some rounds (circular block
bootstrap, Politis and Romano 1992)."""

STEPS = 1000
"""Steps of a trial in a run file made here: its window is that many times the measured step time."""


@dataclass(frozen=True)
class Round:
    """The trials of one round, seconds a step."""

    base: tuple[float, ...]
    """One value for each trial of the base."""
    more: Mapping[str, float]
    """One value for each arm with more work."""


@dataclass(frozen=True)
class Session:
    """Rounds measured without a pause: a run."""

    started_at: str
    rounds: tuple[Round, ...]

    def resample(self, count: int, random: np.random.Generator) -> list[Round]:
        """Return `count` rounds, resampled in blocks."""
        size = len(self.rounds)
        starts = random.integers(0, size, -(-count // BLOCK))
        return [self.rounds[(int(start) + i) % size] for start in starts for i in range(BLOCK)][:count]


def load(path: Path = POOL) -> list[Session]:
    """Return the sessions of a pool, in the order in which they were measured."""
    with gzip.open(path, "rt") as lines:
        return [_session(data) for data in json.load(lines)["sessions"]]


def _session(data: Mapping) -> Session:
    rounds = []
    for trials in data["rounds"]:
        base = tuple(trial["step_s"] for trial in trials if trial["arm"] == "base")
        rounds.append(Round(base, {trial["arm"]: trial["step_s"] for trial in trials if trial["arm"] != "base"}))
    return Session(data["started_at"], tuple(rounds))


def pack(folder: Path, target: Path) -> None:
    """Write all sessions of a folder to one file."""
    sessions = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    with target.open("wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
        packed.write(json.dumps({"sessions": sessions}).encode())
    trials = sum(trial["arm"] == "base" for session in sessions for each in session["rounds"] for trial in each)
    print(f"{target}: {len(sessions)} sessions, {trials} trials of the base")


@cache
def _template() -> tuple[RunFile, Case]:
    """Return a kept run and one of its cases, whose numbers are to be replaced."""
    run_file = read(RESULTS / "quick-2-cores.json")
    return run_file, next(case for case in run_file.cases if case.status == "ok")


def run_file(name: str, *arms: Sequence[float], rounds: int = 0, max_rounds: int | None = None) -> RunFile:
    """Return a run with one case for each arm, whose trials took these seconds a step.

    Two arms are one case with two batch sizes, in name only, so `compare` can pair them by that factor. All cases got
    `rounds` rounds, and inconclusive ones could get `max_rounds`.
    """
    template, case = _template()
    cases = []
    for number, steps in enumerate(arms, 1):
        trials = tuple(
            case.trials[0].model_copy(
                update={"round": i, "window_s": (0.0, STEPS * step), "steps": STEPS, "items": STEPS * 20}
            )
            for i, step in enumerate(steps, 1)
        )
        cases.append(case.model_copy(update={"id": f"{case.id}-{number}", "batch_size": number, "trials": trials}))
    run = template.run.model_copy(update={"id": name, "rounds": rounds, "max_rounds": max_rounds})
    return template.model_copy(update={"run": run, "cases": tuple(cases), "traces": ()})


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else POOL)
