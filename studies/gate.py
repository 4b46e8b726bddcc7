"""How often the gate alarms falsely, and what it sees, on the pool of real trials of `gate_pool.py`.

`python -m studies.gate [COMPARISONS [FILE [SECTION...]]]`: 10,000 a row unless given; writes FILE as JSON, or only
those sections of it anew, and prints its tables. Verdicts, looks included, are those of `suite.stats.compare` and
drift is that of `suite.stats.drift`: what is studied is what ships. Goal: at most 1 % false alarms.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import stats

from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import ASSUMED_DRIFT, MIN_RUNS, estimate_drift, variance_components
from joulemark.suite.stats.variance import Variance
from studies.gate_sessions import POOL, RESULTS, Round, Session, load, run_file

Kind = Literal["turn by turn", "stored, calibrated", "stored, default"]
KINDS: tuple[Kind, ...] = ("turn by turn", "stored, calibrated", "stored, default")
"""Two arms of one run; a kept run with the drift of five others; a kept run with the drift that is assumed."""

ARMS = ("+5 %", "+10 %", "+20 %")
ROUNDS = (3, 5, 8, 10, 15, 20, 30)
FEW_ROUNDS = (3, 5, 10)
RELABELLINGS = 100
"""Of each block of rounds."""
LOOKS = 3
"""The first look and two lots of extra rounds for what is in doubt."""
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


def judged(draw: Draw, rounds: int, look: int = 1, looks: int = 1) -> Comparison:
    """What the gate says at the `look`-th of at most `looks` looks, each after `rounds` more rounds."""
    if draw.drift is None:
        sides = draw.a[: look * rounds], draw.b[: look * rounds]
        both = run_file("ab", *sides, rounds=rounds, most=looks * rounds)
        (found,) = compare(both, both, by="batch-size", metrics=["throughput"]).comparisons
    else:
        a, b = run_file("a", draw.a[:rounds]), run_file("b", draw.b[:rounds])
        (found,) = compare(a, b, metrics=["throughput"], drift=draw.drift).comparisons
    return found


def drawing(sessions: Sequence[Session], kind: Kind, arm: str, rounds: int) -> Callable[[np.random.Generator], Draw]:
    """Draws comparisons of `kind`: noise from the rounds of a session, drift from there being several sessions."""

    def turn_by_turn(random: np.random.Generator) -> Draw:
        drawn = sessions[random.integers(len(sessions))].draw(rounds, random)
        a, b = zip(*(_two(one, arm, random) for one in drawn), strict=True)
        return Draw(a, b, None)

    def stored(random: np.random.Generator) -> Draw:
        order = random.permutation(len(sessions))
        a, b = (sessions[i].draw(rounds, random) for i in order[:2])
        drift = ASSUMED_DRIFT
        if kind == "stored, calibrated":
            drift = calibrated([sessions[i] for i in order[2 : 2 + MIN_RUNS]], random)
        return Draw([_one(one, "base", random) for one in a], [_one(one, arm, random) for one in b], drift)

    return turn_by_turn if kind == "turn by turn" else stored


def calibrated(sessions: Sequence[Session], random: np.random.Generator) -> Variance:
    """Drift as `calibrate` finds it from these sessions, none of which is compared."""
    runs = [
        run_file(f"run-{i}", [_one(drawn, "base", random) for drawn in one.draw(CALIBRATED_ON, random)])
        for i, one in enumerate(sessions)
    ]
    found = estimate_drift(runs)
    assert found is not None, "the pool has too few sessions"
    return found


def _one(drawn: Round, arm: str, random: np.random.Generator) -> float:
    return drawn.base[random.integers(len(drawn.base))] if arm == "base" else drawn.more[arm]


def _two(drawn: Round, arm: str, random: np.random.Generator) -> tuple[float, float]:
    """A trial of the base and one of the arm, of one round; for the base itself, two trials of it."""
    first, second = random.permutation(len(drawn.base))[:2]
    return drawn.base[first], drawn.base[second] if arm == "base" else drawn.more[arm]


def simulate(
    sessions: Sequence[Session], kind: Kind, arm: str, rounds: int, count: int, looks: int = 1, naive: bool = False
) -> dict[str, Any]:
    """Verdicts of `count` drawn comparisons; more looks only where the last left the gate in doubt.

    `naive`: each look is judged as if it were the only one.
    """
    random = np.random.default_rng([rounds, looks, KINDS.index(kind), ("base", *ARMS).index(arm)])
    draw = drawing(sessions, kind, arm, rounds * looks)
    verdicts: Counter[str] = Counter()
    used = 0
    for _ in range(count):
        drawn = draw(random)
        for look in range(1, looks + 1):
            found = judged(drawn, look * rounds) if naive else judged(drawn, rounds, look, looks)
            if found.regressed or found.held:
                break
        used += look * rounds
        verdicts[found.verdict] += 1
        verdicts["regressed"] += found.regressed
        verdicts["in doubt"] += not (found.regressed or found.held)
        verdicts["one process, mean:5%"] += drawn.b[0] / drawn.a[0] > 1.05
        verdicts["all processes, mean:5%"] += np.mean(drawn.b[:rounds]) / np.mean(drawn.a[:rounds]) > 1.05
    return {
        "kind": kind, "arm": arm, "rounds": rounds, "looks": looks, "naive": naive, "comparisons": count,
        "rounds_used": used / count, **{name: share(verdicts[name], count) for name in NAMES},
        "differs": share(verdicts["better"] + verdicts["worse"], count),
    }  # fmt: skip


NAMES = ("regressed", "in doubt", "better", "worse", "same", "one process, mean:5%", "all processes, mean:5%")


def share(hits: int, count: int) -> dict[str, float]:
    """A share with its exact 95 % interval (Clopper and Pearson 1934)."""
    interval = stats.binomtest(int(hits), count).proportion_ci(method="exact")
    return {"hits": int(hits), "of": count, "rate": hits / count, "low": interval.low, "high": interval.high}


def disjoint(sessions: Sequence[Session], rounds: int) -> dict[Kind, list[Draw]]:
    """Comparisons of which no two share a trial: as they were measured, nothing resampled.

    Turn by turn: rounds in a row, the base trials of a round in pairs. Stored: rounds in a row of one session against
    those at the same place of the next, sessions two by two.
    """
    turns = [
        Draw(a, b, None)
        for one in sessions
        for block in _blocks(one, rounds)
        for a, b in zip(_columns(block)[::2], _columns(block)[1::2], strict=True)
    ]
    stored = [
        Draw(*sides, ASSUMED_DRIFT)
        for a, b in zip(sessions[::2], sessions[1::2], strict=False)
        for first, second in zip(_blocks(a, rounds), _blocks(b, rounds), strict=False)
        for sides in zip(_columns(first), _columns(second), strict=False)
    ]
    return {"turn by turn": turns, "stored, default": stored}


def relabelled(sessions: Sequence[Session], rounds: int, random: np.random.Generator) -> dict[Kind, list[Draw]]:
    """The same trials under other labels: in each round either trial may be B; any session may be the kept one."""
    turns = []
    for block in [block for one in sessions for block in _blocks(one, rounds)]:
        for _ in range(RELABELLINGS):
            a, b = zip(*(_two(one, "base", random) for one in block), strict=True)
            turns.append(Draw(a, b, None))
    stored = [
        Draw(*sides, ASSUMED_DRIFT)
        for a, b in itertools.permutations(sessions, 2)
        for first, second in itertools.product(_blocks(a, rounds), _blocks(b, rounds))
        for sides in zip(_columns(first), _columns(second), strict=False)
    ]
    return {"turn by turn": turns, "stored, default": stored}


def _blocks(session: Session, rounds: int) -> list[Sequence[Round]]:
    return [session.rounds[i : i + rounds] for i in range(0, len(session.rounds) - rounds + 1, rounds)]


def _columns(block: Sequence[Round]) -> list[tuple[float, ...]]:
    """First, second, ... base trial of each round."""
    return list(zip(*(one.base for one in block), strict=True))


def as_measured(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """What is said of disjoint comparisons, an alarm being one in either direction, and of relabelled ones."""
    rows = []
    for rounds in FEW_ROUNDS:
        own, others = disjoint(sessions, rounds), relabelled(sessions, rounds, np.random.default_rng(rounds))
        for kind, draws in own.items():
            both = [(judged(draw, rounds), judged(Draw(draw.b, draw.a, draw.drift), rounds)) for draw in draws]
            again = [judged(draw, rounds).regressed for draw in others[kind]]
            rows.append(
                {
                    "kind": kind, "rounds": rounds,
                    "regressed": share(sum(a.regressed or b.regressed for a, b in both), len(draws)),
                    "relabelled": {"rate": 2 * sum(again) / len(again), "of": len(again)},
                    "differs": share(sum(one.verdict in ("better", "worse") for one, _ in both), len(draws)),
                    "in doubt": share(sum(not (one.regressed or one.held) for one, _ in both), len(draws)),
                    "one process, mean:5%": share(sum(_apart(d.a[0], d.b[0]) for d in draws), len(draws)),
                    "all processes, mean:5%": share(sum(_apart(np.mean(d.a), np.mean(d.b)) for d in draws), len(draws)),
                }
            )  # fmt: skip
    return rows


def _apart(a: float, b: float) -> bool:
    """Whether either is 5 % above the other: an alarm in one of the two directions."""
    return max(a / b, b / a) > 1.05


def pool_facts(sessions: Sequence[Session]) -> dict[str, Any]:
    """What the pool is, and what it says of all trials together."""
    runs = [run_file(one.started_at, [value for each in one.rounds for value in each.base]) for one in sessions]
    found = variance_components(runs)
    effects = {}
    for arm in ARMS:
        logs = [np.log(each.more[arm]) - np.mean(np.log(each.base)) for one in sessions for each in one.rounds]
        half = stats.sem(logs) * stats.t.ppf(0.975, len(logs) - 1)
        effects[arm] = [float(np.exp(np.mean(logs) + side * half)) for side in (0, -1, 1)]
    return {
        "sessions": [{"started_at": one.started_at, "rounds": len(one.rounds)} for one in sessions],
        "base_trials": sum(len(each.base) for one in sessions for each in one.rounds),
        "median_step_s": float(np.median([v for one in sessions for each in one.rounds for v in each.base])),
        "trial_sd": found.trials.value**0.5 if found else None,
        "run_sd": found.hedges_estimate**0.5 if found else None,
        "step_time_ratio": effects,
    }


def sections(sessions: Sequence[Session], count: int) -> dict[str, Callable[[], Any]]:
    """What the study is made of; `count` comparisons a row, a tenth of that where there is a difference to be found."""
    few = max(1, count // 10)
    looks = {kind: (1, LOOKS) if kind == "turn by turn" else (1,) for kind in KINDS}  # a kept run is compared once
    nothing = [(kind, rounds, look) for kind in KINDS for rounds in FEW_ROUNDS for look in looks[kind]]
    more = [(kind, arm, rounds) for kind in KINDS for arm in ARMS for rounds in ROUNDS]
    extra = [(arm, rounds) for arm in ARMS for rounds in FEW_ROUNDS]
    turns = "turn by turn"
    return {
        "pool": lambda: pool_facts(sessions),
        "as_measured": lambda: as_measured(sessions),
        "no_difference": lambda: [simulate(sessions, kind, "base", n, count, look) for kind, n, look in nothing],
        "naive_peeking": lambda: [simulate(sessions, turns, "base", n, count, LOOKS, True) for n in FEW_ROUNDS],
        "power": lambda: [simulate(sessions, kind, arm, n, few) for kind, arm, n in more],
        "power_with_extra_rounds": lambda: [simulate(sessions, turns, arm, n, few, LOOKS) for arm, n in extra],
    }


def main(count: int, target: Path, wanted: Sequence[str]) -> bool:
    """Write and print the study, or those sections of it; whether the goal is met in each row without a difference."""
    found = json.loads(target.read_text()) if wanted and target.exists() else {}
    made = sections(load(POOL), count)
    for name in wanted or made:
        found[name] = made[name]()
        target.write_text(json.dumps(found, indent=1) + "\n")
    from gate_tables import tables

    print(tables(found))
    missed = [row for row in found.get("no_difference", []) if row["regressed"]["rate"] > GOAL]
    for row in missed:
        print(f"MISS  {row['kind']}, {row['rounds']} rounds, {row['looks']} looks: {row['regressed']}")
    return not missed


if __name__ == "__main__":
    comparisons = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    where = Path(sys.argv[2]) if len(sys.argv) > 2 else RESULTS / "gate-2-cores.json"
    sys.exit(0 if main(comparisons, where, sys.argv[3:]) else 1)
