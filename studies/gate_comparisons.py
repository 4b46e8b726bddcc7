"""The comparisons that the gate is studied on: sampled from a pool of real trials, or as they were measured."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import ASSUMED_DRIFT, MIN_RUNS, estimate_drift
from joulemark.suite.stats.gate import CONFIDENCE
from joulemark.suite.stats.variance import Variance
from studies.gate_sessions import Round, Session, run_file

Kind = Literal["turn by turn", "stored, calibrated", "stored, default"]
KINDS: tuple[Kind, ...] = ("turn by turn", "stored, calibrated", "stored, default")
"""Two arms of one run; a kept run, with the drift of five others; a kept run, with the assumed drift."""

ARMS = ("+5 %", "+10 %", "+20 %")
RELABELLINGS = 100
"""Relabellings of each block of rounds."""
CALIBRATION_ROUNDS = 5
"""Rounds of each run that drift is estimated from."""


@dataclass(frozen=True)
class Sample:
    """The trials of one comparison, seconds a step, in as many rounds as all interim analyses need."""

    a: Sequence[float]
    b: Sequence[float]
    drift: Variance | None
    """Drift of a run; None for two arms of one run."""


def compare_sample(sample: Sample, rounds: int, analysis: int = 1, analyses: int = 1) -> Comparison:
    """Return the gate's comparison at interim analysis `analysis` of at most `analyses`, each after `rounds` rounds."""
    if sample.drift is None:
        arms = sample.a[: analysis * rounds], sample.b[: analysis * rounds]
        run = run_file("ab", *arms, rounds=rounds, max_rounds=analyses * rounds)
        result = compare(run, run, by="batch-size", metrics=["throughput"], confidence=CONFIDENCE)
    else:
        a, b = run_file("a", sample.a[:rounds]), run_file("b", sample.b[:rounds])
        result = compare(a, b, metrics=["throughput"], drift=sample.drift, confidence=CONFIDENCE)
    (comparison,) = result.comparisons
    return comparison


def sampler(sessions: Sequence[Session], kind: Kind, arm: str, rounds: int) -> Callable[[np.random.Generator], Sample]:
    """Return a function that samples comparisons of `kind`: noise from rounds, drift from separate sessions."""

    def turn_by_turn(random: np.random.Generator) -> Sample:
        sampled = sessions[random.integers(len(sessions))].resample(rounds, random)
        a, b = zip(*(_paired_trials(one_round, arm, random) for one_round in sampled), strict=True)
        return Sample(a, b, None)

    def stored(random: np.random.Generator) -> Sample:
        order = random.permutation(len(sessions))
        a, b = (sessions[i].resample(rounds, random) for i in order[:2])
        drift = ASSUMED_DRIFT
        if kind == "stored, calibrated":
            drift = _calibrated_drift([sessions[i] for i in order[2 : 2 + MIN_RUNS]], random)
        return Sample([_trial(each, "base", random) for each in a], [_trial(each, arm, random) for each in b], drift)

    return turn_by_turn if kind == "turn by turn" else stored


def _calibrated_drift(sessions: Sequence[Session], random: np.random.Generator) -> Variance:
    """Return the drift that `calibrate` estimates from these sessions, none of which is compared."""
    runs = [
        run_file(f"run-{i}", [_trial(each, "base", random) for each in session.resample(CALIBRATION_ROUNDS, random)])
        for i, session in enumerate(sessions)
    ]
    drift = estimate_drift(runs)
    assert drift is not None, "the pool has too few sessions"
    return drift


def _trial(one_round: Round, arm: str, random: np.random.Generator) -> float:
    return one_round.base[random.integers(len(one_round.base))] if arm == "base" else one_round.more[arm]


def _paired_trials(one_round: Round, arm: str, random: np.random.Generator) -> tuple[float, float]:
    """Return a trial of the base and one of the arm from one round; for the base itself, two different trials."""
    first, second = random.permutation(len(one_round.base))[:2]
    return one_round.base[first], one_round.base[second] if arm == "base" else one_round.more[arm]


def disjoint(sessions: Sequence[Session], rounds: int) -> dict[Kind, list[Sample]]:
    """Return comparisons as they were measured, with no trial in two of them and nothing resampled.

    Turn by turn: consecutive rounds, with the base trials of a round in pairs. Stored: consecutive rounds of a session
    against those in the same place of the next, with sessions in pairs.
    """
    turn_by_turn = [
        Sample(a, b, None)
        for session in sessions
        for block in _blocks(session, rounds)
        for a, b in zip(_columns(block)[::2], _columns(block)[1::2], strict=True)
    ]
    stored = [
        Sample(*trials, ASSUMED_DRIFT)
        for a, b in zip(sessions[::2], sessions[1::2], strict=False)
        for block_a, block_b in zip(_blocks(a, rounds), _blocks(b, rounds), strict=False)
        for trials in zip(_columns(block_a), _columns(block_b), strict=False)
    ]
    return {"turn by turn": turn_by_turn, "stored, default": stored}


def relabelled(sessions: Sequence[Session], rounds: int, random: np.random.Generator) -> dict[Kind, list[Sample]]:
    """Return the same trials under other labels: either trial of a round may be B, any session may be the kept run."""
    turn_by_turn = []
    for block in [block for session in sessions for block in _blocks(session, rounds)]:
        for _ in range(RELABELLINGS):
            a, b = zip(*(_paired_trials(one_round, "base", random) for one_round in block), strict=True)
            turn_by_turn.append(Sample(a, b, None))
    stored = [
        Sample(*trials, ASSUMED_DRIFT)
        for a, b in itertools.permutations(sessions, 2)
        for block_a, block_b in itertools.product(_blocks(a, rounds), _blocks(b, rounds))
        for trials in zip(_columns(block_a), _columns(block_b), strict=False)
    ]
    return {"turn by turn": turn_by_turn, "stored, default": stored}


def _blocks(session: Session, rounds: int) -> list[Sequence[Round]]:
    return [session.rounds[i : i + rounds] for i in range(0, len(session.rounds) - rounds + 1, rounds)]


def _columns(block: Sequence[Round]) -> list[tuple[float, ...]]:
    """Return the first, the second, ... base trial of each round."""
    return list(zip(*(one_round.base for one_round in block), strict=True))
