"""How well a run is compared with kept runs once the machine's reference is divided out: simulated, and on real trials.

`python -m studies.stored_baselines [SESSION.json...]` prints the tables of docs/history.md (a minute). Simulated
machines drift from run to run; a share of that drift is common to case and reference, and both have errors of a tenth
of it. With the sessions of `studies.gate_pool`, each is compared with all the others, of its base and with more work.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from joulemark.suite.stats.between_runs.reference import fit_line
from joulemark.suite.stats.gate import CONFIDENCE
from joulemark.suite.stats.intervals import standard_deviation, t_quantile
from joulemark.suite.stats.proportion import Proportion
from joulemark.suite.stats.variance import Variance

SIMULATIONS = 10_000
RUNS = (5, 10, 20)
SHARES = (0.0, 0.3, 0.6, 0.9, 0.98)
DRIFTS = (0.02, 0.03, 0.05)
ARMS = ("base", "+2 %", "+5 %", "+10 %")


@dataclass(frozen=True)
class Estimate:
    """A run against earlier ones, log scale."""

    ratio: float
    variance: Variance

    def half_width(self, confidence: float) -> float:
        return math.sqrt(self.variance.value) * t_quantile((1 + confidence) / 2, self.variance.degrees)


def compare_run(x: Sequence[float], y: Sequence[float]) -> tuple[Estimate, Estimate]:
    """Return the last run against all before it, without and with the reference `x`, log speeds both."""
    before, fit = list(y[:-1]), fit_line(x[:-1], y[:-1])
    ratio, runs = y[-1] - fmean(before), len(before)
    without = Estimate(ratio, Variance(standard_deviation(before) ** 2 * (1 + 1 / runs), runs - 1.0))
    if fit is None or fit.slope == 0:
        return without, without
    return without, Estimate(ratio - fit.slope * (x[-1] - fmean(x[:-1])), fit.drift(x[:-1], x[-1]))


def simulate(runs: int, share: float, drift: float) -> list[tuple[Estimate, Estimate]]:
    """Return the comparisons of runs of which nothing but the machine's drift differs."""
    random = np.random.default_rng([runs, round(1000 * share), round(1000 * drift)])
    shape = SIMULATIONS, runs + 1
    common, own = (drift * math.sqrt(part) * random.normal(0, 1, shape) for part in (share, 1 - share))
    errors = drift / 10 * random.normal(0, 1, (2, *shape))
    return [
        compare_run(x, y)
        for x, y in zip((common + errors[0]).tolist(), (common + own + errors[1]).tolist(), strict=True)
    ]


def print_simulated() -> None:
    """Print coverage, false alarms and widths, and the share of runs with 10 % more time that alarm."""
    print("| runs | common share | 95 % intervals hold | false alarms | width |\n|---:|---:|---:|---:|---:|")
    for runs in RUNS:
        for share in SHARES:
            results = simulate(runs, share, 0.03)
            held = fmean(abs(divided.ratio) <= divided.half_width(0.95) for _, divided in results)
            false = fmean(divided.ratio < -divided.half_width(CONFIDENCE) for _, divided in results)
            widths = [fmean(pair[i].half_width(0.95) for pair in results) for i in (0, 1)]
            print(f"| {runs} | {share:.0%} | {held:.1%} | {false:.2%} | {widths[1] / widths[0]:.2f} |")
    heads = " | ".join(f"{share:.0%} common" for share in SHARES)
    print(f"\n| runs | drift | without | {heads} |\n|---:|---:|---:|{'---:|' * len(SHARES)}")
    for runs in RUNS:
        for drift in DRIFTS:
            by_share = [simulate(runs, share, drift) for share in SHARES]
            cells = [alarms([without for without, _ in by_share[0]])]
            cells += [alarms([divided for _, divided in results]) for results in by_share]
            print(f"| {runs} | {drift:.0%} | {' | '.join(f'{cell:.0%}' for cell in cells)} |")


def alarms(estimates: Sequence[Estimate], change: float = 0.1) -> float:
    """Return the share of runs with `change` more time a step that the gate calls a regression."""
    return fmean(each.ratio - math.log1p(change) < -each.half_width(CONFIDENCE) for each in estimates)


def print_real(sessions: Sequence[dict[str, Any]]) -> None:
    """Print each session against all the others, leaving one out at a time."""
    for how in ("threads", "pinned", "unpinned"):
        x = [fmean(log_speeds(session, "reference", "base")) for session in sessions]
        y = [fmean(log_speeds(session, how, "base")) for session in sessions]
        drift, reference = standard_deviation(y), standard_deviation(x)
        correlation = float(np.corrcoef(x, y)[0, 1])
        print(f"\n{how}: sessions vary by {drift:.1%}, the reference by {reference:.1%}; correlation {correlation:.2f}")
        for arm in ARMS:
            if not all(log_speeds(session, how, arm) for session in sessions):
                continue
            judged = [
                compare_run([*x[:i], *x[i + 1 :], x[i]], [*y[:i], *y[i + 1 :], fmean(log_speeds(session, how, arm))])
                for i, session in enumerate(sessions)
            ]
            for name, estimates in zip(("without", "divided"), zip(*judged, strict=True), strict=True):
                count = sum(each.ratio < -each.half_width(CONFIDENCE) for each in estimates)
                ratio = math.exp(-fmean(each.ratio for each in estimates))
                width = fmean(each.half_width(CONFIDENCE) for each in estimates)
                low, high = Proportion(count, len(estimates)).interval()
                print(
                    f"  {arm:5} {name}: step time x {ratio:.3f}, half-width {width:.1%}, "
                    f"{count} of {len(estimates)} alarm [{low:.0%}, {high:.0%}]"
                )


def log_speeds(session: dict[str, Any], how: str, arm: str) -> list[float]:
    """Return the log speeds of the trials of one kind in a session."""
    trials = (trial for trials in session["rounds"] for trial in trials)
    return [-math.log(trial["step_s"]) for trial in trials if (trial["how"], trial["arm"]) == (how, arm)]


if __name__ == "__main__":
    if paths := sys.argv[1:]:
        print_real([json.loads(Path(path).read_text()) for path in sorted(paths)])
    else:
        print_simulated()
