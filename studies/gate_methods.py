"""Which way to measure sees a change with the least time, on one pool of real trials by `gate_pool.py`.

`python -m studies.gate_methods` writes docs/results/gate-methods.json, whose tables `studies/gate_methods_tables.py`
prints. Rounds are resampled in blocks of two within a session. The best way is chosen on all sessions but one and
judged on that one, for each session in turn.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from joulemark.suite.records import write_text
from joulemark.suite.stats.gate import CONFIDENCE as GATE_CONFIDENCE
from joulemark.suite.stats.interim_analysis import analysis_levels
from joulemark.suite.stats.intervals import t_quantile
from studies.gate_sessions import RESULTS
from studies.gate_ways import METHODS, Method, Round, load

STUDY = RESULTS / "gate-methods.json"
ARMS = ("base", "+2 %", "+5 %", "+10 %")
THRESHOLD = math.log(1.05)
BUDGETS_S = (30.0, 60.0, 120.0, 300.0, 900.0)
COMPARISONS = 10_000
RULES = ("old", "mean", "trimmed")
ANALYSES = 4
FEWEST = 4
"""Ratios that an analysis needs."""
TRIM = 0.2
"""Share of the ratios that a trimmed mean leaves out at either end."""
GOAL = 0.01
BLOCK = 2
"""Consecutive rounds that are resampled together."""


def verdicts(ratios: np.ndarray, rule: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each row of `ratios` whether it regressed, whether it held, and how many ratios that took.

    Rules: `old`, until 2026: a regression is a 95 % interval of the mean wholly beyond the threshold, after all ratios.
    `mean`: the gate's rule today, at ANALYSES interim analyses. `trimmed`: the same with trimmed means.
    """
    count, n = ratios.shape
    analyses = 1 if rule == "old" else min(ANALYSES, n // FEWEST)
    levels = (0.05,) if rule == "old" else analysis_levels(analyses, 1 - GATE_CONFIDENCE)
    regressed, held, used = np.zeros(count, bool), np.zeros(count, bool), np.full(count, n)
    for analysis, level in enumerate(levels, 1):
        part = ratios[:, : n * analysis // analyses]
        centre, error, degrees = estimate(part, TRIM if rule == "trimmed" else 0.0)
        half = error * t_quantile(1 - level / 2, degrees)
        undecided = ~(regressed | held)
        holds = undecided & (centre + half <= THRESHOLD)
        alarms = undecided & (centre - half > (THRESHOLD if rule == "old" else 0.0)) & ~holds
        used[holds | alarms] = part.shape[1]
        held, regressed = held | holds, regressed | alarms
    return regressed, held, used


def estimate(ratios: np.ndarray, trim: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the trimmed mean of each row, its standard error (Yuen 1974) and degrees of freedom."""
    n = ratios.shape[1]
    cut = int(trim * n)
    ordered = np.sort(ratios, axis=1)
    kept = ordered[:, cut : n - cut]
    winsorized = np.clip(ordered, kept[:, :1], kept[:, -1:])
    left = n - 2 * cut
    error = np.sqrt(winsorized.var(axis=1, ddof=1) * (n - 1) / (left * (left - 1)))
    return kept.mean(axis=1), error, left - 1.0


class Pool:
    """The sessions that a method's ratios are resampled from."""

    def __init__(self, sessions: Sequence[Sequence[Round]]) -> None:
        self.sessions = sessions
        self.rounds = [one_round for session in sessions for one_round in session]

    def ratios(self, method: Method, arm: str) -> list[np.ndarray]:
        """Return log ratios by session: (rounds, ratios a round)."""
        return [np.array([method.log_ratios(one_round, arm) for one_round in session]) for session in self.sessions]


def rates(pool: Pool, method: Method, arm: str, budget_s: float, count: int, rule: str, seed: int) -> dict[str, Any]:
    """Return how often `count` resampled comparisons that may take `budget_s` regress, hold and stay in doubt."""
    random = np.random.default_rng([seed, METHODS.index(method), ARMS.index(arm), int(budget_s)])
    sessions = [session for session in pool.ratios(method, arm) if session.size]
    cost_s = method.cost_s(pool.rounds)
    n = int(budget_s / cost_s)
    if n < FEWEST or not sessions:
        return {"pairs": n, "cost_s": cost_s}
    shares = random.multinomial(count, [1 / len(sessions)] * len(sessions))
    samples = np.concatenate([_resample(each, n, int(k), random) for each, k in zip(sessions, shares, strict=True)])
    if arm == "base":  # of equal things, either may come first
        samples *= random.choice((-1.0, 1.0), samples.shape)
    regressed, held, used = verdicts(samples, rule)
    counts = {"regressed": regressed.sum(), "held": held.sum(), "in doubt": (~(regressed | held)).sum()}
    shown = {name: _share(int(hits), count) for name, hits in counts.items()}
    return {"pairs": n, "cost_s": cost_s, "time_s": float(used.mean()) * cost_s, **shown}


def _resample(session: np.ndarray, n: int, count: int, random: np.random.Generator) -> np.ndarray:
    """Return `count` rows of `n` ratios, from blocks of BLOCK rounds of `session` (rounds, ratios a round)."""
    rounds, each = session.shape
    blocks = -(-n // (BLOCK * each))
    starts = random.integers(rounds, size=(count, blocks))
    chosen = (starts[:, :, None] + np.arange(BLOCK)) % rounds
    return np.asarray(session[chosen].reshape(count, -1)[:, :n])


def _share(hits: int, count: int) -> dict[str, float]:
    interval = stats.binomtest(hits, count).proportion_ci(method="exact")
    return {"rate": hits / count, "low": interval.low, "high": interval.high}


def study(sessions: Sequence[Sequence[Round]], count: int) -> dict[str, Any]:
    """Return everything that the tables show."""
    pool = Pool(sessions)
    methods = {}
    for method in METHODS:
        by_arm = {arm: np.concatenate([each.ravel() for each in pool.ratios(method, arm)]) for arm in ARMS}
        by_arm = {arm: values for arm, values in by_arm.items() if len(values) > 1}
        methods[method.name] = {
            "cost_s": method.cost_s(pool.rounds),
            "deviation": float(np.sqrt(np.mean(by_arm["base"] ** 2))),
            "median_deviation": float(1.4826 * np.median(np.abs(by_arm["base"]))),
            "ratios": len(by_arm["base"]),
            "effects": {arm: [float(np.median(values)), float(values.mean())] for arm, values in by_arm.items()},
            "rates": [
                {"rule": rule, "budget_s": budget_s, "arm": arm, **rates(pool, method, arm, budget_s, count, rule, 0)}
                for rule in RULES
                for budget_s in BUDGETS_S
                for arm in by_arm
            ],
        }
    return {
        "sessions": [len(session) for session in sessions],
        "methods": methods,
        "cross_validated": cross_validated(sessions, count),
        "parts": parts(pool),
    }


def cross_validated(sessions: Sequence[Sequence[Round]], count: int) -> list[dict[str, Any]]:
    """Return, by budget and session, the way and rule that are best on all others, and what they do on that one."""
    rows = []
    for budget_s in BUDGETS_S:
        for i, session in enumerate(sessions):
            others, own = Pool([*sessions[:i], *sessions[i + 1 :]]), Pool([session])
            best, power = (METHODS[0], RULES[0]), -1.0
            for method in METHODS:
                for rule in RULES:
                    equal, slower = (
                        rates(others, method, arm, budget_s, count, rule, 1).get("regressed")
                        for arm in ("base", "+5 %")
                    )
                    if equal and slower and equal["rate"] <= GOAL and slower["rate"] > power:
                        best, power = (method, rule), slower["rate"]
            rows.append(
                {"budget_s": budget_s, "left_out": i, "method": best[0].name, "rule": best[1], "power_on_others": power}
                | {arm: rates(own, best[0], arm, budget_s, count, best[1], 2) for arm in ("base", "+5 %")}
            )
    return rows


def parts(pool: Pool) -> dict[str, Any]:
    """Return standard deviations of log step times by what changes: between blocks of a window, builds, processes."""

    def base(how: str, one_round: Round) -> list[Mapping[str, Any]]:
        return [each for each in one_round if each["how"] == how and each["arm"] == "base"]

    def pooled(groups: Sequence[Sequence[float]]) -> float:
        return float(np.sqrt(np.median([np.var(np.log(group), ddof=1) for group in groups])))

    result: dict[str, Any] = {}
    for how in ("threads", "pinned", "unpinned"):
        by_round = [[each["step_s"] for each in base(how, one_round)] for one_round in pool.rounds]
        result[how] = {
            "blocks": pooled([each["block_s"] for one_round in pool.rounds for each in base(how, one_round)]),
            "trials of a round": pooled(by_round),
            "rounds": pooled([[float(np.mean(each)) for each in by_round]]),
        }
    result["builds of a process"] = pooled([each["builds_s"] for r in pool.rounds for each in base("rebuilds", r)])
    return result


if __name__ == "__main__":
    write_text(STUDY, json.dumps(study(load(), COMPARISONS), indent=1) + "\n")
