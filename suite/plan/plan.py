"""The plan of a run: its cases, the order of each round, and how long it takes."""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joulemark.suite.plan.profiles import Profile
from joulemark.suite.records import NOT_ATTEMPTED, Case
from joulemark.suite.trial.frameworks import ModeClass, mode_class
from joulemark.suite.trial.request import Effort, Request

START_S: Mapping[ModeClass, float] = {"eager": 0.4, "graph": 1.0, "compiled": 5.0}
"""Load and first call of a small case, seconds (docs/results/standard-2-cores.json); only for the expected duration."""

CONTEXT_S = 1.0
"""Creation of a GPU's context, seconds; only for the expected duration."""

IMPORTS_S = 7.0
"""Imports of all frameworks, once a round, seconds; only for the expected duration."""

RESIDENT_IDLE_S = 3.0
"""Idle time with the program resident on a GPU, whose averaged power lags by about 1 s (arXiv 2312.02741)."""

SEED = 20150926
"""Seed of inputs and initial weights: the same in all runs, whose outputs can then be compared."""


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    profile: Profile
    cases: tuple[Case, ...]
    """All cases, without trials; those that will be skipped have their reason."""
    rounds: int
    order_seed: int
    latency_s: float = 0.0
    """Length of the pass for percentiles in each trial, seconds; 0: none."""
    pair_of: Mapping[str, str] = field(default_factory=dict)
    """Name of the pair that a case belongs to, by case id; a pair is measured one right after the other."""
    max_rounds: int | None = None
    """Maximum rounds of pairs that are undecided after `rounds`, a multiple of it; None: no more rounds."""

    def runnable(self) -> tuple[Case, ...]:
        """Return the cases that will be attempted."""
        return tuple(case for case in self.cases if case.reason_code == NOT_ATTEMPTED)

    def round_order(self, round_number: int) -> tuple[Case, ...]:
        """Return the cases of a round (1, 2, ...), shuffled for each round and the same for the same seed.

        Within a pair, whichever case is first in one round of two is second in the next: the effect of going first
        then falls on both alike.
        """
        groups: dict[str, list[Case]] = {}
        for case in self.runnable():
            groups.setdefault(self.pair_of.get(case.id, case.id), []).append(case)
        names = list(groups)
        random.Random(f"{self.order_seed}/{round_number}").shuffle(names)
        for name in names:
            random.Random(f"{self.order_seed}/{(round_number + 1) // 2}/{name}").shuffle(groups[name])
            if round_number % 2 == 0:
                groups[name].reverse()
        return tuple(case for name in names for case in groups[name])

    def effort(self, case: Case, resident_idle: bool = False) -> Effort:
        """Return how long each stage of a trial takes; `resident_idle` adds that stage on a GPU."""
        kind = case.device.partition(":")[0]
        window_s = self.profile.window_s[kind]
        return Effort(
            window_s=window_s,
            warmup_s=0.3,
            max_warmup_s=max(2.0, window_s),
            # NVML's averaged power lags by about 1 s on Ampere and newer (arXiv 2312.02741); RAPL by 1 ms.
            guard_s=0.15 if kind == "cpu" else 1.2,
            latency_s=self.latency_s,
            resident_idle_s=RESIDENT_IDLE_S if resident_idle and kind != "cpu" else 0.0,
        )

    def request(self, case: Case, resident_idle: bool = False) -> Request:
        """Return the request for a trial of `case`."""
        return Request(
            workload=case.workload_id,
            size=case.size,
            phase=case.phase,
            framework=case.framework,
            mode=case.mode,
            device=case.device,
            precision=case.precision,
            batch_size=case.batch_size,
            threads=case.threads,
            allocator=case.allocator,
            seed=SEED,
            effort=self.effort(case, resident_idle),
        )

    def trial_s(self, case: Case) -> float:
        """Return the expected duration of one trial, seconds."""
        effort = self.effort(case)
        start_s = START_S[mode_class(case.framework, case.mode)] + (0.0 if case.device == "cpu" else CONTEXT_S)
        return start_s + effort.warmup_s + effort.window_s + 2 * effort.guard_s + effort.latency_s

    def expected_s(self) -> float:
        """Return the expected duration of the run, seconds."""
        runnable = self.runnable()
        trials_s = self.rounds * sum(self.trial_s(case) for case in runnable)
        trials_s += sum(self.effort(case, resident_idle=True).resident_idle_s for case in runnable)
        arms = len({case.arm for case in runnable})
        return trials_s + self.rounds * arms * IMPORTS_S + 2 * self.profile.idle_s

    def outline(self) -> dict[str, Any]:
        """Return the plan as plain data; a case that will be run has no reason."""
        runnable = self.runnable()
        cases = [{"id": case.id, "reason": None if case in runnable else case.reason} for case in self.cases]
        max_rounds = {"max_rounds": self.max_rounds} if self.max_rounds else {}
        return {"rounds": self.rounds, **max_rounds, "expected_s": self.expected_s(), "cases": cases}


def new_order_seed() -> int:
    """Return a random seed for the order of a run's trials, which the run records."""
    return secrets.randbelow(2**31)
