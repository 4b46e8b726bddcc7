"""Noise between processes of the cnn training step, in arms measured in shuffled rounds, and A/A comparisons of it.

`python -m studies.noise [PROCESSES] [FILE]`: 30 processes in each arm; the pool is written to FILE as JSON. Goal:
PyTorch under `retain` varies at most half as much as under its default allocator. The same is printed within rounds,
from two equal arms, whose differences are free of the machine's state.
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
"""Rounds that share their fork servers; new ones have another memory layout and hash seed."""

GOAL = 0.5
"""Largest ratio of the coefficients of variation, `retain` over the default allocator."""


def main(processes: int, target: Path | None) -> bool:
    """Measure, print and keep the pool; return whether the goal is met."""
    pool = measure(processes)
    if target:
        target.write_text(json.dumps(pool, indent=1) + "\n")
    for name, entries in pool.items():
        values = step_times(entries)
        faults = np.median([entry.get("page_faults", np.nan) for entry in entries])
        print(
            f"{name:<24} n={len(values)}  median {1e3 * np.median(values):8.3f} ms  CV {cv(values):6.1%}"
            + (f"  page faults a step {faults:,.0f}" if np.isfinite(faults) else "")
        )
    retain, default = (step_times(pool[name]) for name in ("pytorch retain", "pytorch default"))
    low, high = cv_ratio_interval(retain, default)
    ratio = cv(retain) / cv(default)
    verdict = "met " if ratio <= GOAL else "MISS"
    print(f"{verdict}  CV retain / CV default {ratio:.2f} [{low:.2f}, {high:.2f}]   goal: <= {GOAL}")
    within = [round_differences(pool[name], pool[f"{name}, again"]) for name in ("pytorch retain", "pytorch default")]
    low, high = sd_ratio_interval(*within)
    sds = [sd(differences) for differences in within]
    print(
        f"      within rounds: retain {sds[0]:.1%}, default {sds[1]:.1%}, "
        f"ratio {sds[0] / sds[1]:.2f} [{low:.2f}, {high:.2f}]"
    )
    for name in ARMS:
        print_a_a(name, pool[name])
    return ratio <= GOAL


def measure(processes: int) -> dict[str, list[dict[str, float]]]:
    """Return `processes` trials of each arm, shuffled in each round, with the machine's noise floor in each round."""
    pool: dict[str, list[dict[str, float]]] = {name: [] for name in (*ARMS, "floor arithmetic", "floor copy")}
    order = random.Random(1)
    environments = {(framework, tuple(more.items())) for framework, _, more in ARMS.values()}
    with trials.variables() as variables:
        for start in range(0, processes, PER_ROUND):
            with contextlib.ExitStack() as stack:
                servers = {
                    (framework, more): stack.enter_context(trials.fork_server(framework, {**variables, **dict(more)}))
                    for framework, more in sorted(environments)
                }
                for _ in range(min(PER_ROUND, processes - start)):
                    for name in order.sample(list(ARMS), len(ARMS)):
                        framework, allocator, more = ARMS[name]
                        request = trials.request(framework, allocator=allocator)
                        outcome = servers[framework, tuple(more.items())].run(request, 60.0)
                        assert outcome.trial is not None, outcome.reason
                        pool[name].append(summary(outcome.trial))
                    floor = noise_floor.measure({**variables, "OPENBLAS_NUM_THREADS": str(trials.THREADS)})
                    pool["floor arithmetic"].append({"step_s": floor["arithmetic_s"]})
                    pool["floor copy"].append({"step_s": floor["copy_s"]})
    return pool


def summary(trial: dict) -> dict:
    """Return what is kept of a trial."""
    begin, end = trial["window"]
    blocks = np.array(trial["block_s"]) / trial["steps_per_block"]
    half = stats.sem(blocks) * stats.t.ppf(0.975, len(blocks) - 1)
    return {
        "step_s": (end - begin) / trial["steps"],
        "within_half_s": float(half),
        **{name: value for name, value in trial["counters"].items() if value is not None},
    }


def step_times(entries: list[dict[str, float]]) -> np.ndarray:
    """Return the step time of each process, seconds."""
    return np.array([entry["step_s"] for entry in entries])


def cv(values: np.ndarray) -> float:
    """Return the coefficient of variation."""
    return float(np.std(values, ddof=1) / np.mean(values))


def cv_ratio_interval(a: np.ndarray, b: np.ndarray, resamples: int = 5000) -> tuple[float, float]:
    """Return the percentile bootstrap interval over processes (Efron and Tibshirani 1993)."""
    generator = np.random.default_rng(1)
    ratios = [cv(generator.choice(a, len(a))) / cv(generator.choice(b, len(b))) for _ in range(resamples)]
    return tuple(np.quantile(ratios, [0.025, 0.975]))


def round_differences(a: list[dict[str, float]], b: list[dict[str, float]]) -> np.ndarray:
    """Return the log differences of two equal arms in each round, scaled to the deviation of one process."""
    return (np.log(step_times(a)) - np.log(step_times(b))) / np.sqrt(2)


def sd(differences: np.ndarray) -> float:
    """Return the standard deviation of differences whose mean is known to be 0."""
    return float(np.sqrt(np.mean(np.square(differences))))


def sd_ratio_interval(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the ratio of two standard deviations, from the F distribution."""
    ratio = sd(a) / sd(b)
    ends = stats.f.ppf([0.975, 0.025], len(a), len(b))
    return tuple(ratio / np.sqrt(ends))


def print_a_a(name: str, entries: list[dict[str, float]], block: int = 5) -> None:
    """Print how often disjoint blocks of consecutive trials differ: every difference found is false."""
    values = np.log(step_times(entries))
    blocks = [values[i : i + block] for i in range(0, len(values) - block + 1, block)]
    between = [
        stats.ttest_ind(first, second, equal_var=False).pvalue < 0.05
        for first, second in zip(blocks[::2], blocks[1::2], strict=False)
    ]
    within = [
        abs(first["step_s"] - second["step_s"]) > first["within_half_s"] + second["within_half_s"]
        for first, second in zip(entries[::2], entries[1::2], strict=False)
    ]
    print(f"A/A {name:<24} between processes {share(between)}   within one process {share(within)}")


def share(hits: list[bool]) -> str:
    """Return the share of true entries with its Clopper-Pearson interval."""
    if not hits:
        return "no pairs"
    interval = stats.binomtest(sum(hits), len(hits)).proportion_ci(method="exact")
    return f"{sum(hits)}/{len(hits)} [{interval.low:.0%}, {interval.high:.0%}]"


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    sys.exit(0 if main(count, Path(sys.argv[2]) if len(sys.argv) > 2 else None) else 1)
