"""Profiles and selections -> cases, and the order they are measured in."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.plan import axes
from joulemark.suite.plan.case_filter import compile_keyword
from joulemark.suite.plan.profiles import Profile, find_profile
from joulemark.suite.records import NOT_ATTEMPTED, Case, FrameworkInfo, Parameters, Settings
from joulemark.suite.trial.request import Effort
from joulemark.suite.trial.frameworks import Framework, ModeClass, mode_class
from joulemark.workloads.registry import supports
from joulemark.workloads.spec import ELEMENT_BYTES, Phase, Size, Workload

START_S: Mapping[ModeClass, float] = {"eager": 0.4, "graph": 1.0, "compiled": 5.0}
"""Load and first call of a small case, seconds (docs/results/standard-2-cores.json): for the expected time only."""

CONTEXT_S = 1.0
"""Creation of a board's context, seconds: for the expected time only."""

ZYGOTES_S = 7.0
"""Imports of both frameworks, once a round, seconds: for the expected time only."""

REST_S = 3.0
"""Rest for resident idle on a board: its averaged power lags by about 1 s (arXiv 2312.02741)."""

LATENCY_S = 2.0
"""Length of the pass that times single steps: 1,000 steps of 2 ms, so that p99 rests on ten of them."""

SEED = 20150926
"""Of inputs and initial weights: one for all runs, so that outputs can be compared between them."""


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    profile: Profile
    cases: tuple[Case, ...]
    """All of them, those that are skipped from the start too; each without trials and with its reason."""
    rounds: int
    order_seed: int
    latency_s: float = 0.0
    """Length of the pass for percentiles in each trial, seconds; 0: none."""
    turns: Mapping[str, str] = field(default_factory=dict)
    """Cases by id that are measured one after the other, with a name that both share."""
    max_rounds: int | None = None
    """Rounds at most for pairs that `rounds` leave undecided, a multiple of them; None: no more."""

    def runnable(self) -> tuple[Case, ...]:
        """Cases that will be attempted."""
        return tuple(case for case in self.cases if case.reason_code == NOT_ATTEMPTED)

    def order(self, round_number: int) -> tuple[Case, ...]:
        """The cases of a round (1, 2, ...), shuffled anew each time and the same for the same seed.

        Those that take turns follow each other, and who was first in one round of two is second in the next: what
        going first does to a trial then falls on both alike.
        """
        groups: dict[str, list[Case]] = {}
        for case in self.runnable():
            groups.setdefault(self.turns.get(case.id, case.id), []).append(case)
        order = list(groups)
        random.Random(f"{self.order_seed}/{round_number}").shuffle(order)
        for name in order:
            random.Random(f"{self.order_seed}/{(round_number + 1) // 2}/{name}").shuffle(groups[name])
            if round_number % 2 == 0:
                groups[name].reverse()
        return tuple(case for name in order for case in groups[name])

    def effort(self, case: Case, rest: bool = False) -> Effort:
        """How long each part of a trial takes; `rest` asks for resident idle where the device has any."""
        kind = case.device.partition(":")[0]
        # NVML's averaged power lags by about 1 s on Ampere and newer (arXiv 2312.02741); RAPL by 1 ms.
        guard_s = 0.15 if kind == "cpu" else 1.2
        window_s = self.profile.window_s[kind]
        return Effort(
            window_s=window_s,
            warmup_s=0.3,
            max_warmup_s=max(2.0, window_s),
            guard_s=guard_s,
            latency_s=self.latency_s,
            resident_idle_s=REST_S if rest and kind != "cpu" else 0.0,
        )

    def trial_s(self, case: Case) -> float:
        """Expected duration of one trial, seconds."""
        effort = self.effort(case)
        start_s = START_S[mode_class(case.framework, case.mode)] + (0.0 if case.device == "cpu" else CONTEXT_S)
        return start_s + effort.warmup_s + effort.window_s + 2 * effort.guard_s + effort.latency_s

    def expected_s(self) -> float:
        """Expected duration of the run, seconds."""
        trials = self.rounds * sum(self.trial_s(case) for case in self.runnable())
        trials += sum(self.effort(case, rest=True).resident_idle_s for case in self.runnable())
        arms = len({case.arm for case in self.runnable()})
        return trials + self.rounds * arms * ZYGOTES_S + 2 * self.profile.idle_s

    def outline(self) -> dict[str, Any]:
        """The plan as plain data; a case that will be run has no reason."""
        runnable = self.runnable()
        cases = [{"id": case.id, "reason": None if case in runnable else case.reason} for case in self.cases]
        most = {"max_rounds": self.max_rounds} if self.max_rounds else {}
        return {"rounds": self.rounds, **most, "expected_s": self.expected_s(), "cases": cases}


@dataclass(frozen=True)
class _Task:
    """A workload, a size and a phase: what is the same in every framework."""

    workload: Workload
    size: str
    phase: Phase

    @property
    def id(self) -> str:
        return f"{self.workload.id}:{self.size}/{self.phase}"

    @property
    def preset(self) -> Size:
        return self.workload.sizes[self.size]

    def facts(self, framework: str, batch_size: int, precision: str) -> dict[str, Any]:
        """Fields of a case that follow from the task."""
        count = self.workload.parameters(self.preset)
        return {
            "workload": self.workload.name,
            "variant": self.workload.variant,
            "workload_version": self.workload.version(framework),
            "size": self.size,
            "phase": self.phase,
            "item": self.workload.counts(self.phase),
            "flops_per_item": self.workload.flops(self.preset, self.phase),
            "bytes_per_item": self.workload.bytes(self.preset, self.phase, batch_size, ELEMENT_BYTES[precision]),
            "parameters": Parameters(total=count.total, trainable=count.trainable),
        }


def order_seed() -> int:
    """A seed for the order of a run's trials, drawn anew for each run and recorded in it."""
    return secrets.randbelow(2**31)


def make(settings: Settings, installed: Mapping[str, FrameworkInfo], order_seed: int, threads: int) -> Plan:
    """The plan for `settings` with the frameworks that are installed.

    UsageError for names that are not known, a framework that was named but is not installed, a device that is not
    there, and a selection that holds nothing.
    """
    profile = find_profile(settings)
    frameworks = axes.frameworks(settings, installed)
    cases = [
        case
        for workload in axes.chosen_workloads(settings, profile)
        for size in axes.sizes(settings, workload, profile)
        for phase in axes.phases(settings, workload)
        for chosen in frameworks
        for case in _of_framework(
            settings, profile, _Task(workload, size, phase), chosen, installed.get(chosen.name), threads
        )
    ]
    if profile.out_of_the_box and settings.allocator == "retain":
        cases += _out_of_the_box(cases)
    if not cases:
        raise UsageError(
            "nothing is selected: no workload has all of what was asked for. `joulemark list` shows the sizes, phases "
            "and modes of each."
        )
    cases = list({case.id: case for case in cases}.values())  # what was named twice is measured once
    if settings.keyword is not None:
        match = compile_keyword(settings.keyword)
        found = [case for case in cases if match(case.id)]
        if not found:
            raise UsageError(
                f"nothing is selected: -k {settings.keyword!r} matches none of the {len(cases)} cases that are left, "
                f"such as {cases[0].id}. Another --profile or --workload has others."
            )
        cases = found
    latency_s = LATENCY_S if settings.latency else 0.0
    return Plan(profile, tuple(cases), settings.rounds or profile.rounds, order_seed, latency_s)


def _out_of_the_box(cases: Sequence[Case]) -> list[Case]:
    """The first training case on the CPU of each framework again, under the default allocator."""
    chosen: dict[str, Case] = {}
    for case in cases:
        if case.phase == "training" and case.device == "cpu":
            chosen.setdefault(case.framework, case)
    return [
        case.model_copy(update={"id": f"{case.id}+allocator=default", "allocator": "default"})
        for case in chosen.values()
    ]


def _of_framework(
    settings: Settings,
    profile: Profile,
    task: _Task,
    chosen: Framework,
    info: FrameworkInfo | None,
    threads: int,
) -> list[Case]:
    """The cases of one task in one framework."""
    cases = []
    for mode, device in itertools.product(axes.modes(settings, profile, chosen), axes.devices(settings, info)):
        batches = settings.batch_size or (task.preset.batch_size[device.partition(":")[0]],)
        for precision, batch in itertools.product(axes.precisions(settings, chosen), batches):
            compiled = chosen.modes[mode] == "compiled"
            refusal = task.workload.refusal(device.partition(":")[0], precision, batch, compiled)
            reason_code, reason = _obstacle(task.workload, chosen, info, refusal)
            cases.append(
                Case(
                    id=f"{task.id}/{chosen.name}/{mode}/{device}/{precision}/b{batch}",
                    **task.facts(chosen.name, batch, precision),
                    framework=chosen.name,
                    mode=mode,
                    device=device,
                    precision=precision,
                    batch_size=batch,
                    threads=threads,
                    allocator=settings.allocator,
                    status="skipped",
                    reason_code=reason_code,
                    reason=reason,
                )
            )
    return cases


def _obstacle(
    workload: Workload, chosen: Framework, info: FrameworkInfo | None, refusal: str | None
) -> tuple[str, str]:
    """(code, reason) why a case will be skipped, or that it was not attempted yet; `refusal`: its workload's."""
    if info is None:
        return "not_installed", f"{chosen.title} is not installed: pip install 'joulemark[{chosen.extra}]'"
    if not supports(workload, chosen.name):
        return "unsupported", f"{workload.id} has no implementation in {chosen.title}"
    if refusal is not None:
        return "unsupported", refusal
    return NOT_ATTEMPTED, "not attempted"
