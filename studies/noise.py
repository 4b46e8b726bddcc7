"""Between-process noise of the cnn training step, arm against arm in shuffled rounds, and what an A/A comparison says.

`python -m studies.noise [PROCESSES] [FILE]`: 30 processes an arm; the pool is written to FILE as JSON.
Goal: PyTorch under `retain` varies at most half as much as under its default allocator. Beside it the same within
rounds, from two arms that are alike: there the machine's state, which is in all arms, is gone.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks import trials
from joulemark.suite.trial import noise_floor

PASSIVE = {"OMP_WAIT_POLICY": "passive"}
HUGE = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""malloc asks for transparent huge pages (glibc 2.35 and newer)."""

ARMS: dict[str, tuple[str, str, dict[str, str]]] = {
    "pytorch retain": ("pytorch", "retain", {}),
    "pytorch retain, again": ("pytorch", "retain", {}),
    "pytorch default": ("pytorch", "default", {}),
    "pytorch default, again": ("pytorch", "default", {}),
    "pytorch retain, huge pages": ("pytorch", "retain", HUGE),
    "pytorch retain, passive": ("pytorch", "retain", PASSIVE),
    "tensorflow retain": ("tensorflow", "retain", {}),
    "tensorflow default": ("tensorflow", "default", {}),
}
"""Framework, allocator, and variables on top of the built environment."""

PER_ROUND = 3
"""Rounds that share their fork servers; each third round draws layout and hash seed anew."""


def main(processes: int, target: Path | None) -> bool:
    """Measure, print, and keep the pool; whether the goal is met."""
    pool = measure(processes)
    if target:
        target.write_text(json.dumps(pool, indent=1) + "\n")
    for name, entries in pool.items():
        values = np.array([entry["step_s"] for entry in entries])
        faults = np.median([entry.get("page_faults", np.nan) for entry in entries])
        print(
            f"{name:<24} n={len(values)}  median {1e3 * np.median(values):8.3f} ms  CV {cv(values):6.1%}"
            + (f"  page faults a step {faults:,.0f}" if np.isfinite(faults) else "")
        )
    a, b = (np.array([e["step_s"] for e in pool[name]]) for name in ("pytorch retain", "pytorch default"))
    low, high = cv_ratio_interval(a, b)
    found = cv(a) / cv(b)
    verdict = "met " if found <= 0.5 else "MISS"
    print(f"{verdict}  CV retain / CV default {found:.2f} [{low:.2f}, {high:.2f}]   goal: <= 0.5")
    own, other = (apart(pool[name], pool[f"{name}, again"]) for name in ("pytorch retain", "pytorch default"))
    low, high = sd_ratio_interval(own, other)
    print(
        f"      within rounds: retain {sd(own):.1%}, default {sd(other):.1%}, "
        f"ratio {sd(own) / sd(other):.2f} [{low:.2f}, {high:.2f}]"
    )
    for name in ARMS:
        print_a_a(name, pool[name])
    return found <= 0.5


def measure(processes: int) -> dict[str, list[dict[str, float]]]:
    """`processes` trials an arm, arms shuffled in each round, and the machine's floors beside them."""
    pool: dict[str, list[dict[str, float]]] = {name: [] for name in (*ARMS, "floor arithmetic", "floor copy")}
    order = random.Random(1)
    kinds = {(framework, tuple(more.items())) for framework, _, more in ARMS.values()}
    with trials.variables() as variables:
        for start in range(0, processes, PER_ROUND):
            with contextlib.ExitStack() as stack:
                servers = {
                    (framework, more): stack.enter_context(trials.fork_server(framework, {**variables, **dict(more)}))
                    for framework, more in sorted(kinds)
                }
                for _ in range(min(PER_ROUND, processes - start)):
                    for name in order.sample(list(ARMS), len(ARMS)):
                        framework, allocator, more = ARMS[name]
                        request = trials.request(framework, allocator=allocator)
                        outcome = servers[framework, tuple(more.items())].run(request, 60.0)
                        assert outcome.trial is not None, outcome.reason
                        pool[name].append(summary(outcome.trial))
                    found = noise_floor.measure({**variables, "OPENBLAS_NUM_THREADS": str(trials.THREADS)})
                    pool["floor arithmetic"].append({"step_s": found["arithmetic_s"]})
                    pool["floor copy"].append({"step_s": found["copy_s"]})
    return pool


def summary(trial: dict) -> dict:
    """What is kept of a trial."""
    begin, end = trial["window"]
    blocks = np.array(trial["block_s"]) / trial["steps_per_block"]
    half = stats.sem(blocks) * stats.t.ppf(0.975, len(blocks) - 1)
    return {
        "step_s": (end - begin) / trial["steps"],
        "within_half_s": float(half),
        **{name: value for name, value in trial["counters"].items() if value is not None},
    }


def cv(values: np.ndarray) -> float:
    """Coefficient of variation."""
    return float(np.std(values, ddof=1) / np.mean(values))


def cv_ratio_interval(a: np.ndarray, b: np.ndarray, draws: int = 5000) -> tuple[float, float]:
    """Percentile bootstrap over processes (Efron and Tibshirani 1993)."""
    generator = np.random.default_rng(1)
    ratios = [cv(generator.choice(a, len(a))) / cv(generator.choice(b, len(b))) for _ in range(draws)]
    return tuple(np.quantile(ratios, [0.025, 0.975]))


def apart(ones: list[dict[str, float]], others: list[dict[str, float]]) -> np.ndarray:
    """By how much two arms that are alike differ in each round, as the deviation of one process: log scale."""
    steps = ([entry["step_s"] for entry in entries] for entries in (ones, others))
    first, second = map(np.log, steps)
    return (first - second) / np.sqrt(2)


def sd(differences: np.ndarray) -> float:
    """Standard deviation of differences whose mean is known to be 0."""
    return float(np.sqrt(np.mean(np.square(differences))))


def sd_ratio_interval(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """95 % interval of the ratio of two standard deviations, by the F distribution."""
    ratio = sd(a) / sd(b)
    ends = stats.f.ppf([0.975, 0.025], len(a), len(b))
    return tuple(ratio / np.sqrt(ends))


def print_a_a(name: str, entries: list[dict[str, float]], block: int = 5) -> None:
    """Disjoint blocks of consecutive trials compared with each other: every difference that is found is false."""
    values = np.log([entry["step_s"] for entry in entries])
    blocks = [values[i : i + block] for i in range(0, len(values) - block + 1, block)]
    between = [
        stats.ttest_ind(blocks[i], blocks[j], equal_var=False).pvalue < 0.05
        for i in range(0, len(blocks) - 1, 2)
        for j in [i + 1]
    ]
    within = [
        abs(one["step_s"] - other["step_s"]) > one["within_half_s"] + other["within_half_s"]
        for one, other in zip(entries[::2], entries[1::2], strict=False)
    ]
    print(f"A/A {name:<24} between processes {share(between)}   within one process {share(within)}")


def share(hits: list[bool]) -> str:
    """Share of true entries with its Clopper-Pearson interval."""
    if not hits:
        return "no pairs"
    interval = stats.binomtest(sum(hits), len(hits)).proportion_ci(method="exact")
    return f"{sum(hits)}/{len(hits)} [{interval.low:.0%}, {interval.high:.0%}]"


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    sys.exit(0 if main(count, Path(sys.argv[2]) if len(sys.argv) > 2 else None) else 1)
