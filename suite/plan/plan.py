"""The plan of a run: its cases, the order of each round, and how long it takes."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from joulemark.suite.plan.profiles import Profile
from joulemark.suite.records import NOT_ATTEMPTED, Case, DeviceKind
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.request import Effort, Request
from joulemark.suite.trial.timing import BLOCK_S

GPU_START_S = 5.5
"""What load and first call take longer on a GPU at size `base`: the context, and libraries that try out algorithms.
Mean of the cases of `quick` on an H200, seconds; only for the expected duration."""
GPU_PROBE_S = 7.0
"""Probe of a GPU in one precision, seconds; only for the expected duration."""
RESPONSES_S = 13.5
"""What whole responses make a trial longer than its three windows: warm-up, guards, and the least number in a
window. Mean of `llama:small` at batch 1 to 16 (docs/results/responses-2-cores.json), seconds; only for the expected
duration."""
RANKS_START_S = 2.0
"""Start of the ranks and their steps without communication, seconds; only for the expected duration."""
IMPORTS_S = 3.0
"""Imports of all frameworks, once a round, seconds: 2.3 to 3.2 between the later rounds of the kept runs on two cores;
only for the expected duration."""
RESIDENT_IDLE_S = 3.0
"""Idle time with the program resident on a GPU, whose averaged power lags by about 1 s (arXiv 2312.02741)."""
PROFILED_S = 0.2
"""Length of the steps that are profiled on a GPU, seconds: 20 of 10 ms; at 5 µs a kernel, a trace of 40,000."""
PROFILING_S = 2.0
"""Start of the profiler and reading of its trace, seconds; only for the expected duration."""
COUNTED_ROUNDS: Mapping[DeviceKind, int] = {"cpu": 2, "cuda": 1}
"""Rounds whose trials count what a step does, of at least twice as many. Two show that the numbers do not vary; a GPU's
profiler is slow."""
COUNTING_S: Mapping[DeviceKind, float] = {"cpu": 0.5, "cuda": 1.0}
"""What counting takes in a trial, seconds; only for the expected duration. A small case takes 0.3 s of a processor, and
in TensorFlow's graphs half a first call more; not measured on a GPU, whose profiler has run before."""
TURN_S = 3 * BLOCK_S
"""Length of a turn, seconds."""
MIN_BLOCKS = 5
MIN_RESPONSES = 3
"""Fewest blocks in a window, however long they take: a response may take seconds."""
REFERENCES = 3
"""Times in a round that the reference between runs is measured: after each third of the trials."""
REFERENCE_START_S = 0.4
"""Start of the process that measures it, seconds; only for the expected duration."""
SEED = 20150926
"""Seed of inputs and initial weights: the same in all runs, whose outputs can then be compared."""
_SHARED_FIELDS = ("size", "phase", "framework", "mode", "device", "precision", "batch_size", "threads", "allocator")
"""Fields that a case and the request for its trials have in common."""


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
    """Maximum rounds of pairs that are undecided after `rounds`, a multiple of it; in a sweep, with those of the best
    settings against the default. None: no more rounds."""
    dropped_rounds: int = 0
    """Rounds that the profile's limit leaves no time for."""

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

    def in_pairs(self, cases: Iterable[Case]) -> list[tuple[Case, ...]]:
        """Return `cases`, in the order of a round, with the two of a pair together."""
        groups = itertools.groupby(cases, key=lambda case: self.pair_of.get(case.id, case.id))
        return [tuple(group) for _, group in groups]

    def effort(self, case: Case, round_number: int | None = None) -> Effort:
        """Return how long each stage of a trial takes; early rounds have more stages than later ones (None)."""
        kind = _kind(case)
        window_s, warmup_s = self.profile.window_s[kind], self.profile.warmup_s[kind]
        first_on_gpu = round_number == 1 and kind != "cpu"
        # A response consists of hundreds of calls, whose work is counted and profiled in phases of their own.
        # What one rank of several does is counted in the case that is not distributed.
        profiled = case.response is None and case.ranks is None
        return Effort(
            window_s=window_s,
            warmup_s=warmup_s,
            max_warmup_s=max(2.0, window_s, warmup_s),
            # NVML's averaged power lags by about 1 s on Ampere and newer (arXiv 2312.02741); RAPL by 1 ms.
            guard_s=0.15 if kind == "cpu" else 1.2,
            latency_s=self.latency_s,
            resident_idle_s=RESIDENT_IDLE_S if first_on_gpu and case.ranks is None else 0.0,
            profiled_s=PROFILED_S if first_on_gpu and profiled else 0.0,
            turn_s=TURN_S if self.profile.turns and case.id in self.pair_of else 0.0,
            min_blocks=MIN_BLOCKS if case.response is None else MIN_RESPONSES,
            counted=profiled and round_number is not None and round_number <= self._counted_rounds(kind),
        )

    def request(self, case: Case, round_number: int | None = None) -> Request:
        """Return the request for a trial of `case`; `round_number` as for `effort`."""
        return Request(
            workload=case.workload_id,
            seed=SEED,
            effort=self.effort(case, round_number),
            prompt=case.prompt_tokens,
            new_tokens=case.new_tokens,
            ranks=case.ranks,
            nodes=case.nodes or 1,
            meeting=f"{case.id}, round {round_number}" if case.nodes else "",
            strategy=case.strategy,
            strong=case.scaling == "strong",
            **{name: getattr(case, name) for name in _SHARED_FIELDS},
        )

    def trial_s(self, case: Case) -> float:
        """Return the mean expected duration of a trial, seconds, without what only a GPU's first round has."""
        effort, framework = self.effort(case), FRAMEWORKS[case.framework]
        start_s = framework.start_s[case.mode] + framework.compile_s.get(case.mode, 0.0) / self.rounds
        start_s += 0.0 if case.device == "cpu" else GPU_START_S
        measuring_s = effort.warmup_s + effort.window_s + 2 * effort.guard_s + effort.latency_s
        # Before each turn, a block that does not count.
        measuring_s += self.profile.turns * (effort.turn_s + BLOCK_S) if effort.turn_s else 0.0
        kind = _kind(case)
        if case.ranks is not None:
            return start_s + measuring_s + RANKS_START_S
        if case.response is not None:
            alone_s = 2 * (effort.window_s + 2 * effort.guard_s)  # prefill and decoding
            return start_s + measuring_s + alone_s + RESPONSES_S
        return start_s + measuring_s + COUNTING_S[kind] * self._counted_rounds(kind) / self.rounds

    def _counted_rounds(self, kind: DeviceKind) -> int:
        """Return in how many rounds, from the first on, the trials count what a step does."""
        return max(1, min(COUNTED_ROUNDS[kind], self.rounds // 2))

    def expected_s(self) -> float:
        """Return the expected duration of the run, seconds."""
        runnable = self.runnable()
        on_gpus = [case for case in runnable if case.device != "cpu"]
        probes = {(case.framework, case.device, case.precision, case.threads) for case in on_gpus}
        once_s = len(on_gpus) * (RESIDENT_IDLE_S + PROFILED_S + PROFILING_S) + len(probes) * GPU_PROBE_S
        imports_s = len({(case.arm, case.threads) for case in runnable}) * IMPORTS_S  # each has its own fork servers
        round_s = sum(self.trial_s(case) for case in runnable) + imports_s / self.profile.server_rounds
        if self.measures_reference:
            round_s += REFERENCES * (2 * self.profile.reference_s + REFERENCE_START_S)
        return self.rounds * round_s + once_s + 2 * self.profile.idle_s

    @property
    def is_sweep(self) -> bool:
        """Whether its cases are settings of a sweep."""
        return any(case.sweep_default for case in self.cases)

    @property
    def measures_reference(self) -> bool:
        """Whether the run can be compared with others by a reference: arms, measured turn by turn, need none."""
        return self.profile.reference_s > 0 and all(case.arm is None for case in self.cases)

    def measures_reference_after(self, number: int, trials: int) -> bool:
        """Return whether the reference is measured after trial `number` (1, 2, ...) of the `trials` of a round.

        After the last one it always is, with the noise floor.
        """
        parts = REFERENCES if self.measures_reference else 1
        return number < trials and number * parts // trials > (number - 1) * parts // trials

    def within_limit(self) -> Plan:
        """Return the plan with as many of its rounds, at least one, as the profile's limit leaves time for."""
        limit_s = self.profile.limit_s
        if limit_s is None or self.rounds == 1 or self.expected_s() <= limit_s:
            return self
        return replace(self, rounds=self.rounds - 1, dropped_rounds=self.dropped_rounds + 1).within_limit()

    def outline(self) -> dict[str, Any]:
        """Return the plan as plain data; a case that will be run has no reason."""
        runnable = self.runnable()
        cases = [{"id": case.id, "reason": None if case in runnable else case.reason} for case in self.cases]
        other_rounds = {"max_rounds": self.max_rounds, "dropped_rounds": self.dropped_rounds, "sweep": self.is_sweep}
        other_rounds = {name: rounds for name, rounds in other_rounds.items() if rounds}
        return {"rounds": self.rounds, **other_rounds, "expected_s": self.expected_s(), "cases": cases}


def _kind(case: Case) -> DeviceKind:
    return "cpu" if case.device == "cpu" else "cuda"


def new_order_seed() -> int:
    """Return a random seed for the order of a run's trials, which the run records."""
    return secrets.randbelow(2**31)
