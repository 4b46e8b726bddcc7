"""What hash seeds, huge pages and NUMA change: of the step time, and of the variance between processes.

`python -m studies.noise_factor_shares [FILE]` prints the table of docs/noise.md from docs/results/noise-factors.json.
Only differences within a round are used: the state of the machine, common to all trials of a round, is in none.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from studies.gate_sessions import RESULTS
from studies.noise_factors import ANYWHERE, BASE, ONE_NODE, SERVERS, TRIALS, load

STUDY = RESULTS / "noise-factors.json"
RESAMPLES = 10_000
MIN_ROUNDS = 10
"""Fewer say nothing of a variance."""
Interval = tuple[float, float]


@dataclass(frozen=True)
class Shares:
    """One arm against the one that it is compared with. Intervals have the confidence that was asked for."""

    ratio: float
    """Step time over that of the other arm, geometric mean."""
    ratio_interval: Interval
    trials: float
    """Standard deviation between trials of one server, log scale."""
    servers: float
    """Standard deviation that two servers add, log scale; 0 where chance in the trials explains it."""
    removed: float
    """Share of the other arm's variance between processes that this arm does not have; negative: it has more."""
    removed_interval: Interval
    huge_pages: float
    """Transparent huge pages that were given to somebody during a trial, median."""

    @property
    def helps(self) -> bool:
        """Whether steps are certainly shorter, or vary certainly less."""
        return self.ratio_interval[1] < 1 or self.removed_interval[0] > 0


def logs(rounds: Sequence[Sequence[Mapping[str, Any]]], arm: str) -> np.ndarray:
    """Return log step times of `arm`: (rounds, servers, trials)."""
    return np.array(
        [
            [[math.log(t["step_s"]) for t in one_round if (t["arm"], t["server"]) == (arm, n)] for n in range(SERVERS)]
            for one_round in rounds
        ]
    )


def variances(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by round the variance between trials of a server, and the one between processes of two servers.

    The last is the mean of half the squared differences of all trials of one server and all of the other.
    """
    within = values.var(axis=2, ddof=1).mean(axis=1)
    across = np.square(values[:, 0, :, None] - values[:, 1, None, :]).mean(axis=(1, 2)) / 2
    return within, across


def shares(
    rounds: Sequence[Sequence[Mapping[str, Any]]], arm: str, other: str = BASE, confidence: float = 0.95
) -> Shares:
    """Return what `arm` changes against `other`, with intervals between rounds: Student's t, and the bootstrap."""
    values, others = logs(rounds, arm), logs(rounds, other)
    differences = (values - others).mean(axis=(1, 2))
    n = len(differences)
    half = stats.sem(differences) * stats.t.ppf((1 + confidence) / 2, n - 1)
    mean = float(differences.mean())
    within, across = variances(values)
    across_other = variances(others)[1]
    chosen = np.random.default_rng(1).integers(n, size=(RESAMPLES, n))
    resampled = 1 - across[chosen].mean(axis=1) / across_other[chosen].mean(axis=1)
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
    pages = [trial["huge_pages"] for one_round in rounds for trial in one_round if trial["arm"] == arm]
    return Shares(
        ratio=math.exp(mean),
        ratio_interval=(math.exp(mean - half), math.exp(mean + half)),
        trials=math.sqrt(within.mean()),
        servers=math.sqrt(max(0.0, across.mean() - within.mean())),
        removed=float(1 - across.mean() / across_other.mean()),
        removed_interval=(float(low), float(high)),
        huge_pages=float(np.median(pages)),
    )


def table(rounds: Sequence[Sequence[Mapping[str, Any]]], left_out: Mapping[str, str], thp: str) -> str:
    """Return the table as Markdown, with what follows from it; or that there are too few rounds."""
    if len(rounds) < MIN_ROUNDS:
        return f"{len(rounds)} rounds are too few: {MIN_ROUNDS} are needed. Measure longer."
    arms = list(dict.fromkeys(trial["arm"] for trial in sorted(rounds[0], key=lambda trial: trial["arm"] != BASE)))
    pairs = [(arm, ANYWHERE if arm == ONE_NODE else BASE) for arm in arms]
    title = f"{len(rounds)} rounds of {SERVERS} fork servers an arm and {TRIALS} trials each"
    lines = [
        f"{title}; transparent huge pages: {thp}.",
        "",
        "| arm | step time, ratio | between trials | between servers | variance removed | huge pages a trial |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    judged = [pair for pair in pairs if pair[0] != pair[1]]
    for arm, other in pairs:
        one = shares(rounds, arm, other)
        compared = arm != other
        ratio = f"{one.ratio:.3f} [{one.ratio_interval[0]:.3f}, {one.ratio_interval[1]:.3f}]" if compared else ""
        removed = "{:.0%} [{:.0%}, {:.0%}]".format(one.removed, *one.removed_interval) if compared else ""
        lines.append(f"| {arm} | {ratio} | {one.trials:.1%} | {one.servers:.1%} | {removed} | {one.huge_pages:.0f} |")
    lines.append("")
    level = 1 - 0.05 / max(1, 2 * len(judged))  # two numbers of each arm are judged (Bonferroni)
    for arm, other in judged:
        verdict = "helps" if shares(rounds, arm, other, level).helps else "does not help beyond its uncertainty"
        lines.append(f"{arm} {verdict} (intervals at {level:.1%}).")
    lines += [f"{arm} was left out: {reason}." for arm, reason in left_out.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(*load(Path(sys.argv[1]) if len(sys.argv) > 1 else STUDY)))
