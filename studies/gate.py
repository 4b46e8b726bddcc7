"""How often the gate raises false alarms, and what it detects, on the pool of real trials of `gate_pool.py`.

`python -m studies.gate [COMPARISONS [FILE [SECTION...]]]`: 10,000 comparisons a row by default; writes FILE as JSON, or
only those sections of it, and prints its tables. Verdicts, with interim analyses, are those of `suite.stats.compare`,
and drift is that of `suite.stats.drift`: the code that users run is what is studied. Goal: at most 1 % false alarms.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from joulemark.suite.stats.drift import variance_components
from studies.gate_comparisons import ARMS, KINDS, Kind, Sample, compare_sample, disjoint, relabelled, sampler
from studies.gate_sessions import POOL, RESULTS, Session, load, run_file
from studies.gate_tables import tables

ROUNDS = (3, 5, 10, 20, 30, 60, 100)
FEW_ROUNDS = (3, 5, 10)
ANALYSES = 3
"""The first analysis, and two more after extra rounds of what is in doubt."""

GOAL = 0.01


def simulate(
    sessions: Sequence[Session], kind: Kind, arm: str, rounds: int, count: int, analyses: int = 1, naive: bool = False
) -> dict[str, Any]:
    """Return the verdicts of `count` sampled comparisons, with further analyses of those that are in doubt.

    `naive`: each analysis is judged as if it were the only one.
    """
    random = np.random.default_rng([rounds, analyses, KINDS.index(kind), ("base", *ARMS).index(arm)])
    next_sample = sampler(sessions, kind, arm, rounds * analyses)
    verdicts: Counter[str] = Counter()
    rounds_used = 0
    for _ in range(count):
        sample = next_sample(random)
        for analysis in range(1, analyses + 1):
            comparison = (
                compare_sample(sample, analysis * rounds)
                if naive
                else compare_sample(sample, rounds, analysis, analyses)
            )
            if comparison.regressed or comparison.held:
                break
        rounds_used += analysis * rounds
        verdicts[comparison.verdict] += 1
        verdicts["regressed"] += comparison.regressed
        verdicts["in doubt"] += not (comparison.regressed or comparison.held)
        verdicts["one process, mean:5%"] += sample.b[0] / sample.a[0] > 1.05
        verdicts["all processes, mean:5%"] += np.mean(sample.b[:rounds]) / np.mean(sample.a[:rounds]) > 1.05
    return {
        "kind": kind, "arm": arm, "rounds": rounds, "looks": analyses, "naive": naive, "comparisons": count,
        "rounds_used": rounds_used / count, **{name: share(verdicts[name], count) for name in VERDICTS},
        "differs": share(verdicts["better"] + verdicts["worse"], count),
    }  # fmt: skip


VERDICTS = ("regressed", "in doubt", "better", "worse", "same", "one process, mean:5%", "all processes, mean:5%")


def share(hits: int, count: int) -> dict[str, float]:
    """Return a share with its exact 95 % interval (Clopper and Pearson 1934)."""
    interval = stats.binomtest(int(hits), count).proportion_ci(method="exact")
    return {"hits": int(hits), "of": count, "rate": hits / count, "low": interval.low, "high": interval.high}


def as_measured(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """Return the alarms of disjoint comparisons, in either direction, and of relabelled ones."""
    rows = []
    for rounds in FEW_ROUNDS:
        others = relabelled(sessions, rounds, np.random.default_rng(rounds))
        for kind, samples in disjoint(sessions, rounds).items():
            both = [(compare_sample(s, rounds), compare_sample(Sample(s.b, s.a, s.drift), rounds)) for s in samples]
            alarms = [compare_sample(sample, rounds).regressed for sample in others[kind]]
            n = len(samples)
            rows.append(
                {
                    "kind": kind, "rounds": rounds,
                    "regressed": share(sum(a.regressed or b.regressed for a, b in both), n),
                    "relabelled": {"rate": 2 * sum(alarms) / len(alarms), "of": len(alarms)},
                    "differs": share(sum(a.verdict in ("better", "worse") for a, _ in both), n),
                    "in doubt": share(sum(not (a.regressed or a.held) for a, _ in both), n),
                    "one process, mean:5%": share(sum(_differ(s.a[0], s.b[0]) for s in samples), n),
                    "all processes, mean:5%": share(sum(_differ(np.mean(s.a), np.mean(s.b)) for s in samples), n),
                }
            )  # fmt: skip
    return rows


def _differ(a: float, b: float) -> bool:
    """Return whether either is 5 % above the other, which is an alarm in one of the two directions."""
    return max(a / b, b / a) > 1.05


def pool_facts(sessions: Sequence[Session]) -> dict[str, Any]:
    """Return the size of the pool, its noise, and the true effect of each arm."""
    base = [[value for one_round in session.rounds for value in one_round.base] for session in sessions]
    components = variance_components([run_file(s.started_at, values) for s, values in zip(sessions, base, strict=True)])
    effects = {}
    for arm in ARMS:
        logs = [np.log(each.more[arm]) - np.mean(np.log(each.base)) for session in sessions for each in session.rounds]
        half = stats.sem(logs) * stats.t.ppf(0.975, len(logs) - 1)
        effects[arm] = [float(np.exp(np.mean(logs) + sign * half)) for sign in (0, -1, 1)]
    return {
        "sessions": [{"started_at": session.started_at, "rounds": len(session.rounds)} for session in sessions],
        "base_trials": sum(map(len, base)),
        "median_step_s": float(np.median(np.concatenate(base))),
        "trial_sd": components.trials.value**0.5 if components else None,
        "run_sd": components.hedges_estimate**0.5 if components else None,
        "step_time_ratio": effects,
    }


def sections(sessions: Sequence[Session], count: int) -> dict[str, Callable[[], Any]]:
    """Return the sections of the study, with `count` comparisons a row, or a tenth of it where there is an effect."""
    few = max(1, count // 10)
    analyses = {kind: (1, ANALYSES) if kind == "turn by turn" else (1,) for kind in KINDS}  # a kept run has only one
    no_effect = [(kind, rounds, n) for kind in KINDS for rounds in FEW_ROUNDS for n in analyses[kind]]
    effects = [(kind, arm, rounds) for kind in KINDS for arm in ARMS for rounds in ROUNDS]
    extra = [(arm, rounds) for arm in ARMS for rounds in FEW_ROUNDS]
    turns = "turn by turn"
    return {
        "pool": lambda: pool_facts(sessions),
        "as_measured": lambda: as_measured(sessions),
        "no_difference": lambda: [simulate(sessions, kind, "base", r, count, n) for kind, r, n in no_effect],
        "naive_peeking": lambda: [simulate(sessions, turns, "base", r, count, ANALYSES, True) for r in FEW_ROUNDS],
        "power": lambda: [simulate(sessions, kind, arm, r, few) for kind, arm, r in effects],
        "power_with_extra_rounds": lambda: [simulate(sessions, turns, arm, r, few, ANALYSES) for arm, r in extra],
    }


def main(count: int, target: Path, wanted: Sequence[str]) -> bool:
    """Write and print the study, or some sections of it; return whether each row without an effect meets the goal."""
    study = json.loads(target.read_text()) if wanted and target.exists() else {}
    available = sections(load(POOL), count)
    for name in wanted or available:
        study[name] = available[name]()
        target.write_text(json.dumps(study, indent=1) + "\n")
    print(tables(study))
    missed = [row for row in study.get("no_difference", []) if row["regressed"]["rate"] > GOAL]
    for row in missed:
        print(f"MISS  {row['kind']}, {row['rounds']} rounds, {row['looks']} analyses: {row['regressed']}")
    return not missed


if __name__ == "__main__":
    comparisons = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    where = Path(sys.argv[2]) if len(sys.argv) > 2 else RESULTS / "gate-2-cores.json"
    sys.exit(0 if main(comparisons, where, sys.argv[3:]) else 1)
