"""How small a difference in joules a step the gate sees, on simulated boards whose true joules are known.

`python -m studies.gate_energy [COMPARISONS [FILE]]`: 400 comparisons a row by default, ten times as many where nothing
differs; writes FILE as JSON and prints the tables of docs/gate-energy.md. Trials are those of
`studies.gate_energy_board`, readings are made by `suite.energy`, and verdicts by `suite.stats.compare`, with the
confidence of `suite.stats.gate`: the code that users run is what is studied. Goal: 3 % more joules are seen in 90 % of
comparisons, with at most 1 % false alarms.

Noise of the sensor and noise between trials are independent: windows are simulated once for each sensor and length,
in runs of one step duration each. A comparison draws rounds from one of these runs, either trial of a round as A, and
gives each trial the true joules of a process of its own. A step of arm B takes more joules because it takes more time,
so that a window's reading has the same error in either arm.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from joulemark.suite.plan.plan import IMPORTS_S
from joulemark.suite.plan.profiles import PROFILES
from joulemark.suite.records import Case
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.gate import CONFIDENCE
from studies.gate import share
from studies.gate_energy_board import MACHINES, SimulatedTrial, simulated_run
from studies.gate_energy_tables import tables
from studies.gate_sessions import RESULTS, run_file

FILE = RESULTS / "gate-energy.json"
WINDOWS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
ROUNDS = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 130, 160)
DIFFERENCES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)
SEEN, POWER, GOAL = 0.03, 0.9, 0.01
"""Threshold and difference; the share of comparisons that must alarm; the share that may where nothing differs."""
SPREADS = (0.003, 0.01, 0.05)
"""Standard deviation between processes of the true joules of a step. On the H200, two trials of one case differed by
0.03 and 0.04 % where the GPU set the pace (a matrix product, ddpm's sampling), and by 2 to 12 % where the CPU did, a
standard deviation of 4.9 % (`docs/results/h200-quick-small-fp32.json`). 0.3 % is taken to be the least."""
RUNS, RUN_ROUNDS = 8, 16
"""Of which the windows of one sensor and length are made."""
J_PER_ITEM = 1e-4
"""So that whole numbers of items round no joules."""
SKETCHES = 2000
"""Comparisons in closed form that find the number of rounds to try first."""
Pair = tuple[SimulatedTrial, SimulatedTrial]


@cache
def runs(machine: str, window_s: float) -> tuple[tuple[Pair, ...], ...]:
    """Return runs of a sensor with windows of one length: the trials of both arms in each round.

    Steps that alias with the sensor get a notice that says so, and are left out here.
    """
    number, kept = list(MACHINES).index(machine), []
    for attempt in range(10 * RUNS):
        rng = np.random.default_rng([number, round(1000 * window_s), attempt])
        run = tuple(simulated_run(MACHINES[machine], window_s, RUN_ROUNDS, rng))
        if not any(reading.in_step for reading in run[0][0].readings):
            kept.append(run)
        if len(kept) == RUNS:
            break
    return tuple(kept)


def drawn(machine: str, window_s: float, rounds: int, rng: np.random.Generator) -> list[Pair]:
    """Return the rounds of one comparison."""
    of_machine = runs(machine, window_s)
    run = of_machine[rng.integers(len(of_machine))]
    pairs = [run[i] for i in rng.integers(len(run), size=rounds)]
    return [pair if swapped else pair[::-1] for pair, swapped in zip(pairs, rng.random(rounds) < 0.5, strict=True)]


def comparison(
    pairs: Sequence[Pair],
    difference: float,
    spread: float,
    rng: np.random.Generator,
    threshold: float = SEEN,
) -> Comparison:
    """Return the gate's comparison of two arms that were measured turn by turn.

    Args:
        pairs: The trials of each round.
        difference: How many more joules a step takes in B, a share.
        spread: Standard deviation between processes of the true joules of a step, a share.
        rng: Source of that.
        threshold: That of the gate.
    """
    steps = [1.0] * len(pairs)
    run = run_file("ab", steps, steps, rounds=len(pairs))
    more = (0.0, math.log1p(difference))
    true_j = [J_PER_ITEM * np.exp(log + rng.normal(0, spread, len(pairs))) for log in more]
    cases = [
        _with_energy(case, trials, per_item)
        for case, trials, per_item in zip(run.cases, zip(*pairs, strict=True), true_j, strict=True)
    ]
    run = run.model_copy(update={"cases": tuple(cases)})
    result = compare(
        run, run, by="batch-size", metrics=["energy"], thresholds={"energy": threshold}, confidence=CONFIDENCE
    )
    return result.comparisons[0]


def _with_energy(case: Case, trials: Sequence[SimulatedTrial], j_per_item: np.ndarray) -> Case:
    """Return `case` with the readings of `trials`, and as many items as their true joules are enough for."""
    filled = [
        kept.model_copy(
            update={"window_s": trial.window_s, "energy": trial.readings, "items": round(trial.true_j / per_item)}
        )
        for kept, trial, per_item in zip(case.trials, trials, j_per_item, strict=True)
    ]
    return case.model_copy(update={"trials": tuple(filled)})


def verdicts(
    machine: str, window_s: float, rounds: int, difference: float, spread: float, count: int
) -> dict[str, Any]:
    """Return the shares of `count` comparisons that alarm, hold and are in doubt."""
    seed = [list(MACHINES).index(machine), round(1000 * window_s), rounds, round(1e3 * difference), round(1e3 * spread)]
    rng = np.random.default_rng(seed)
    judged = [comparison(drawn(machine, window_s, rounds, rng), difference, spread, rng) for _ in range(count)]
    alarms, held = sum(each.regressed for each in judged), sum(each.held for each in judged)
    return {
        "machine": machine, "window_s": window_s, "rounds": rounds, "difference": difference, "spread": spread,
        "alarms": share(alarms, count), "held": share(held, count), "in doubt": share(count - alarms - held, count),
    }  # fmt: skip


def wall_s(machine: str, window_s: float, rounds: int) -> float:
    """Return how long a comparison of one case takes, with the imports of each arm's new fork servers, seconds."""
    servers = math.ceil(rounds / PROFILES["ci"].server_rounds)
    return 2 * (rounds * MACHINES[machine].trial_s(window_s) + servers * IMPORTS_S)


def window_errors() -> list[dict[str, Any]]:
    """Return the error of one window beyond its sensor's gain, for each sensor and length."""
    rows = []
    for machine in MACHINES:
        for window_s in WINDOWS_S:
            trials = [trial for run in runs(machine, window_s) for pair in run for trial in pair]
            logs = [_log_error(trial) for trial in trials if trial.measured_j]
            rows.append({
                "machine": machine, "window_s": window_s, "windows": len(trials), "unknown": len(trials) - len(logs),
                "sd": float(np.std(logs)),
            })  # fmt: skip
    return rows


def _log_error(trial: SimulatedTrial) -> float:
    return math.log((trial.measured_j or math.nan) / trial.true_j)


def smallest(count: int) -> list[dict[str, Any]]:
    """Return the fewest rounds that see the difference, for each sensor, spread and window; and its wall time."""
    rows = []
    for machine in MACHINES:
        for spread in SPREADS:
            for window_s in WINDOWS_S:
                for rounds in ROUNDS[first_guess(machine, window_s, spread) :]:
                    row = verdicts(machine, window_s, rounds, SEEN, spread, count)
                    if row["alarms"]["rate"] >= POWER:
                        rows.append({**row, "wall_s": wall_s(machine, window_s, rounds)})
                        break
    return rows


def first_guess(machine: str, window_s: float, spread: float) -> int:
    """Return the index of the fewest rounds that should do, by Student's t on differences of the sensor's errors."""
    rng = np.random.default_rng(1)
    errors = [
        [_log_error(b) - _log_error(a) for a, b in run if a.measured_j and b.measured_j]
        for run in runs(machine, window_s)
    ]
    for index, rounds in enumerate(ROUNDS):
        sensor = [
            rng.choice([-1, 1], rounds) * rng.choice(errors[i], rounds)
            for i in rng.integers(len(errors), size=SKETCHES)
        ]
        logs = np.array(sensor) + rng.normal(math.log1p(SEEN), math.sqrt(2) * spread, (SKETCHES, rounds))
        half = logs.std(axis=1, ddof=1) / math.sqrt(rounds) * stats.t.ppf((1 + CONFIDENCE) / 2, rounds - 1)
        low, high = logs.mean(axis=1) - half, logs.mean(axis=1) + half
        if np.mean((low > 0) & (high > math.log1p(SEEN))) >= POWER - 0.01:
            return index
    return len(ROUNDS)


def fastest(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of least wall time for each sensor and spread."""
    best: dict[tuple[str, float], dict[str, Any]] = {}
    for row in rows:
        key = row["machine"], row["spread"]
        if key not in best or row["wall_s"] < best[key]["wall_s"]:
            best[key] = row
    return list(best.values())


def study(count: int) -> dict[str, Any]:
    """Return all sections, with `count` comparisons a row."""
    rows = smallest(count)
    best = fastest(rows)
    return {
        "comparisons": count,
        "threshold": SEEN,
        "confidence": CONFIDENCE,
        "window_errors": window_errors(),
        "smallest": rows,
        "no_difference": [
            verdicts(row["machine"], row["window_s"], row["rounds"], 0.0, row["spread"], 10 * count) for row in best
        ],
        "differences": [
            verdicts(row["machine"], row["window_s"], row["rounds"], difference, row["spread"], count)
            for row in best
            if row["spread"] == SPREADS[1]
            for difference in DIFFERENCES
        ],
    }


def exceeds_goal(row: dict[str, Any], rows: int) -> bool:
    """Return whether a row has more false alarms than the goal, at the 5 % level over so many `rows` (Bonferroni)."""
    alarms = row["alarms"]
    return bool(stats.binomtest(alarms["hits"], alarms["of"], GOAL, alternative="greater").pvalue < 0.05 / rows)


def main(count: int, target: Path) -> bool:
    """Write and print the study; return whether every sensor meets the goal."""
    result = study(count)
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(tables(result))
    missed = [row for row in result["no_difference"] if exceeds_goal(row, len(result["no_difference"]))]
    for row in missed:
        print(f"MISS  {row['machine']}, {row['window_s']:g} s x {row['rounds']}: {row['alarms']}")
    seen = {(row["machine"], row["spread"]) for row in result["smallest"]}
    return not missed and seen >= {(machine, spread) for machine in MACHINES for spread in SPREADS}


if __name__ == "__main__":
    comparisons = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    sys.exit(0 if main(comparisons, Path(sys.argv[2]) if len(sys.argv) > 2 else FILE) else 1)
