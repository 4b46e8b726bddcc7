"""How often the gate alarms falsely, and what it sees, on the pool of real trials of `gate_pool.py`.

`python benchmarks/gate.py [COMPARISONS [FILE]]`: 10,000 a row unless given; writes FILE as JSON and prints its tables.
Verdicts are those of `suite.results.compare`, drift is that of `suite.results.drift` and levels are those of
`suite.results.sequential`: what is studied is what ships. Goal: at most 1 % false alarms, peeking included.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gate_sessions import POOL, RESULTS, Round, Session, load, run_file
from scipy import stats

from suite.results.compare import BETWEEN_RUNS, Comparison, compare, verdict
from suite.results.drift import FEWEST_RUNS, between_runs, components
from suite.results.sequential import levels
from suite.results.variance import Effect, Variance

Kind = Literal["turn by turn", "stored, calibrated", "stored, default"]
KINDS: tuple[Kind, ...] = ("turn by turn", "stored, calibrated", "stored, default")
"""Two arms of one run; a kept run with the drift of five others; a kept run with the drift that is assumed."""

ARMS = ("+5 %", "+10 %", "+20 %")
ROUNDS = (3, 5, 8, 10, 15, 20, 30)
LOOKS = 3
"""The first look and two lots of extra rounds for what is inconclusive."""
CALIBRATED_ON = 5
"""Rounds of each run that drift is estimated from."""

GOAL = 0.01


@dataclass(frozen=True)
class Draw:
    """One comparison to be made: what trials of A and of B say, seconds a step, in as many rounds as all looks take."""

    a: Sequence[float]
    b: Sequence[float]
    drift: Variance | None
    """Of a run; None for two arms of one run."""


def judged(draw: Draw, rounds: int, look: int, level: float) -> Comparison:
    """What the gate says after `look` lots of `rounds` rounds. A kept baseline is not measured again."""
    if draw.drift is None:
        both = run_file("ab", draw.a[: look * rounds], draw.b[: look * rounds])
        (found,) = compare(both, both, by="batch-size", metrics=["throughput"]).found
    else:
        a, b = run_file("a", draw.a[:rounds]), run_file("b", draw.b[: look * rounds])
        (found,) = compare(a, b, metrics=["throughput"], drift=draw.drift).found
    return at_level(found, level)


def at_level(found: Comparison, level: float) -> Comparison:
    """A comparison that stands alone, its interval at another level."""
    assert found.ratio is not None, found.reason
    assert found.error is not None
    low, high = Effect(math.log(found.ratio), found.error).interval(level)
    judgement = verdict(low, high, found.threshold, found.metric)
    return replace(found, low=math.exp(low), high=math.exp(high), verdict=judgement)


def drawing(sessions: Sequence[Session], kind: Kind, arm: str, rounds: int) -> Callable[[np.random.Generator], Draw]:
    """Draws comparisons of `kind`: noise from the rounds of a session, drift from there being several sessions."""

    def turn_by_turn(random: np.random.Generator) -> Draw:
        drawn = sessions[random.integers(len(sessions))].draw(rounds, random)
        a, b = zip(*(_two(one, arm, random) for one in drawn), strict=True)
        return Draw(a, b, None)

    def stored(random: np.random.Generator) -> Draw:
        order = random.permutation(len(sessions))
        a, b = (sessions[i].draw(rounds, random) for i in order[:2])
        drift = BETWEEN_RUNS
        if kind == "stored, calibrated":
            drift = calibrated([sessions[i] for i in order[2 : 2 + FEWEST_RUNS]], random)
        return Draw([_one(one, "base", random) for one in a], [_one(one, arm, random) for one in b], drift)

    return turn_by_turn if kind == "turn by turn" else stored


def calibrated(sessions: Sequence[Session], random: np.random.Generator) -> Variance:
    """Drift as `calibrate` finds it from these sessions, none of which is compared."""
    runs = [
        run_file(f"run-{i}", [_one(drawn, "base", random) for drawn in one.draw(CALIBRATED_ON, random)])
        for i, one in enumerate(sessions)
    ]
    found = between_runs(runs)
    assert found is not None, "the pool has too few sessions"
    return found


def _one(drawn: Round, arm: str, random: np.random.Generator) -> float:
    return drawn.base[random.integers(len(drawn.base))] if arm == "base" else drawn.more[arm]


def _two(drawn: Round, arm: str, random: np.random.Generator) -> tuple[float, float]:
    """A trial of the base and one of the arm, of one round; which of two base trials is B is drawn."""
    first = int(random.integers(len(drawn.base)))
    return drawn.base[first], drawn.base[1 - first] if arm == "base" else drawn.more[arm]


def simulate(
    sessions: Sequence[Session], kind: Kind, arm: str, rounds: int, count: int, looks: int = 1, naive: bool = False
) -> dict[str, Any]:
    """Verdicts of `count` drawn comparisons; more looks only where the last was inconclusive.

    `naive`: 5 % at each look, as if it were the only one.
    """
    random = np.random.default_rng([rounds, looks, KINDS.index(kind), ("base", *ARMS).index(arm)])
    draw = drawing(sessions, kind, arm, rounds * looks)
    at_levels = (0.05,) * looks if naive else levels(looks)
    verdicts: Counter[str] = Counter()
    trials = 0
    for _ in range(count):
        drawn = draw(random)
        for look, level in enumerate(at_levels, 1):
            found = judged(drawn, rounds, look, level)
            if found.verdict != "inconclusive":
                break
        trials += look * rounds
        verdicts[found.verdict] += 1
        verdicts["regressed"] += found.regressed
        verdicts["one process, mean:5%"] += drawn.b[0] / drawn.a[0] > 1.05
        verdicts["all processes, mean:5%"] += np.mean(drawn.b[:rounds]) / np.mean(drawn.a[:rounds]) > 1.05
    return {
        "kind": kind, "arm": arm, "rounds": rounds, "looks": looks, "naive": naive, "comparisons": count,
        "rounds_used": trials / count, **{name: share(verdicts[name], count) for name in NAMES},
        "differs": share(verdicts["better"] + verdicts["worse"], count),
    }  # fmt: skip


NAMES = ("regressed", "better", "worse", "same", "inconclusive", "one process, mean:5%", "all processes, mean:5%")


def share(hits: int, count: int) -> dict[str, float]:
    """A share with its exact 95 % interval (Clopper and Pearson 1934)."""
    interval = stats.binomtest(int(hits), count).proportion_ci(method="exact")
    return {"hits": int(hits), "of": count, "rate": hits / count, "low": interval.low, "high": interval.high}


def disjoint(sessions: Sequence[Session], rounds: int) -> Iterator[tuple[Kind, Draw]]:
    """Comparisons of which no two share a trial: as they were measured, nothing resampled.

    Turn by turn: `rounds` rounds in a row, the base trial that came first against the other. Stored: as many in a row
    of one session against the same place of the next but one session's neighbour, sessions two by two.
    """
    for session in sessions:
        for start in range(0, len(session.rounds) - rounds + 1, rounds):
            block = session.rounds[start : start + rounds]
            yield "turn by turn", Draw([one.base[0] for one in block], [one.base[1] for one in block], None)
    for a, b in zip(sessions[::2], sessions[1::2], strict=False):
        shortest = min(len(a.rounds), len(b.rounds))
        for start in range(0, shortest - rounds + 1, rounds):
            pairs = [(one.rounds[start : start + rounds]) for one in (a, b)]
            for which in (0, 1):
                sides = [[each.base[which] for each in side] for side in pairs]
                yield "stored, default", Draw(sides[0], sides[1], BETWEEN_RUNS)


def false_alarms_as_measured(sessions: Sequence[Session], rounds: int) -> list[dict[str, Any]]:
    """What was said of the disjoint comparisons, both ways round: A against B, and B against A."""
    rows = []
    drawn = list(disjoint(sessions, rounds))
    for kind in ("turn by turn", "stored, default"):
        own = [draw for which, draw in drawn if which == kind]
        found = [judged(draw, rounds, 1, 0.05) for draw in own]
        back = [judged(Draw(draw.b, draw.a, draw.drift), rounds, 1, 0.05) for draw in own]
        rows.append(
            {
                "kind": kind, "rounds": rounds,
                "regressed": share(sum(a.regressed or b.regressed for a, b in zip(found, back, strict=True)), len(own)),
                "differs": share(sum(one.verdict in ("better", "worse") for one in found), len(own)),
                "inconclusive": share(sum(one.verdict == "inconclusive" for one in found), len(own)),
                "one process, mean:5%": share(sum(_apart(d.a[0], d.b[0]) for d in own), len(own)),
                "all processes, mean:5%": share(sum(_apart(np.mean(d.a), np.mean(d.b)) for d in own), len(own)),
            }
        )  # fmt: skip
    return rows


def _apart(a: float, b: float) -> bool:
    """Whether either is 5 % above the other: an alarm in one of the two directions."""
    return max(a / b, b / a) > 1.05


def pool_facts(sessions: Sequence[Session]) -> dict[str, Any]:
    """What the pool is, and what it says of all trials together."""
    runs = [run_file(one.started_at, [value for each in one.rounds for value in each.base]) for one in sessions]
    found = components(runs)
    effects = {}
    for arm in ARMS:
        logs = [np.log(each.more[arm] / np.sqrt(np.prod(each.base))) for one in sessions for each in one.rounds]
        half = stats.sem(logs) * stats.t.ppf(0.975, len(logs) - 1)
        effects[arm] = [float(np.exp(np.mean(logs) + side * half)) for side in (0, -1, 1)]
    return {
        "sessions": [{"started_at": one.started_at, "rounds": len(one.rounds)} for one in sessions],
        "base_trials": sum(len(each.base) for one in sessions for each in one.rounds),
        "median_step_s": float(np.median([v for one in sessions for each in one.rounds for v in each.base])),
        "trial_sd": found.trials.value**0.5 if found else None,
        "run_sd": found.plain**0.5 if found else None,
        "step_time_ratio": effects,
    }


def study(sessions: Sequence[Session], count: int) -> dict[str, Any]:
    """All rows."""
    kinds = KINDS if len(sessions) >= FEWEST_RUNS + 2 else (KINDS[0], KINDS[2])
    few = max(1, count // 10)
    return {
        "pool": pool_facts(sessions),
        "as_measured": [row for rounds in (3, 5, 10) for row in false_alarms_as_measured(sessions, rounds)],
        "no_difference": [
            simulate(sessions, kind, "base", rounds, count, looks)
            for kind in kinds for rounds in (3, 5, 10) for looks in (1, LOOKS)
        ],
        "naive_peeking": [simulate(sessions, kind, "base", 5, count, LOOKS, naive=True) for kind in kinds],
        "power": [
            simulate(sessions, kind, arm, rounds, few) for kind in kinds for arm in ARMS for rounds in ROUNDS
        ],
        "power_with_extra_rounds": [
            simulate(sessions, kind, arm, rounds, few, LOOKS) for kind in kinds for arm in ARMS for rounds in (3, 5, 10)
        ],
    }  # fmt: skip


def main(count: int, target: Path) -> bool:
    """Write and print the study; whether the goal is met in each row without a difference."""
    found = study(load(POOL), count)
    target.write_text(json.dumps(found, indent=1) + "\n")
    from gate_tables import tables

    print(tables(found))
    worst = max(found["no_difference"], key=lambda row: row["regressed"]["high"])
    met = worst["regressed"]["high"] <= GOAL
    print(f"{'met ' if met else 'MISS'}  worst: {worst['kind']}, {worst['rounds']} rounds: {worst['regressed']}")
    return met


if __name__ == "__main__":
    comparisons = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    where = Path(sys.argv[2]) if len(sys.argv) > 2 else RESULTS / "gate-2-cores.json"
    sys.exit(0 if main(comparisons, where) else 1)
