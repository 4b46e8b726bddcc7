"""The pool that the gate is studied on: its sessions, and run files made of their trials.

The pool is `docs/results/gate-pool-2-cores.json.gz`, made of what `gate_pool.py` wrote:
`python -m studies.gate_sessions DIRECTORY FILE` packs a directory of sessions.
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

from joulemark.suite.records import Case, RunFile, read

RESULTS = Path(__file__).parents[1] / "docs" / "results"
POOL = RESULTS / "gate-pool-2-cores.json.gz"
STRETCH = 4
"""Rounds in a row that a resample takes: noise that lasts for some rounds stays together (circular block bootstrap,
Politis and Romano 1992)."""

STEPS = 1000
"""Steps that a trial of a made run file claims: its window is as many times the step time that was measured."""


@dataclass(frozen=True)
class Round:
    """What one round measured, seconds a step."""

    base: tuple[float, ...]
    """One value a trial of the base."""
    more: Mapping[str, float]
    """By arm that does more work."""


@dataclass(frozen=True)
class Session:
    """Rounds that were measured without a pause: a run."""

    started_at: str
    rounds: tuple[Round, ...]

    def draw(self, count: int, random: np.random.Generator) -> list[Round]:
        """`count` rounds, resampled in stretches."""
        size = len(self.rounds)
        starts = random.integers(0, size, -(-count // STRETCH))
        return [self.rounds[(int(start) + i) % size] for start in starts for i in range(STRETCH)][:count]


def load(path: Path = POOL) -> list[Session]:
    """The sessions of a pool, in the order they were measured."""
    with gzip.open(path, "rt") as lines:
        return [_session(one) for one in json.load(lines)["sessions"]]


def _session(data: Mapping) -> Session:
    rounds = []
    for trials in data["rounds"]:
        base = tuple(trial["step_s"] for trial in trials if trial["arm"] == "base")
        rounds.append(Round(base, {trial["arm"]: trial["step_s"] for trial in trials if trial["arm"] != "base"}))
    return Session(data["started_at"], tuple(rounds))


def pack(folder: Path, target: Path) -> None:
    """All sessions of a folder in one file."""
    sessions = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    with target.open("wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
        packed.write(json.dumps({"sessions": sessions}).encode())
    trials = sum(trial["arm"] == "base" for one in sessions for trials in one["rounds"] for trial in trials)
    print(f"{target}: {len(sessions)} sessions, {trials} trials of the base")


@cache
def _template() -> tuple[RunFile, Case]:
    """A kept run of this machine and one of its cases: whichever, since the numbers in it are replaced."""
    run_file = read(RESULTS / "quick-2-cores.json")
    return run_file, next(case for case in run_file.cases if case.status == "ok")


def run_file(name: str, *sides: Sequence[float], rounds: int = 0, most: int | None = None) -> RunFile:
    """A run of one case a side, each with a trial a round of these seconds a step.

    Two sides are one case at two batch sizes by name: `compare` sets them against each other `by` that factor.
    `rounds` and `most`: what all cases got, and what those in doubt could get.
    """
    template, case = _template()
    cases = []
    for number, steps in enumerate(sides, 1):
        trials = tuple(
            case.trials[0].model_copy(
                update={"round": i, "window_s": (0.0, STEPS * step), "steps": STEPS, "items": STEPS * 20}
            )
            for i, step in enumerate(steps, 1)
        )
        cases.append(case.model_copy(update={"id": f"{case.id}-{number}", "batch_size": number, "trials": trials}))
    run = template.run.model_copy(update={"id": name, "rounds": rounds, "max_rounds": most})
    return template.model_copy(update={"run": run, "cases": tuple(cases), "traces": ()})


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else POOL)
