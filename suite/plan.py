"""Profiles and selections -> cases, and the order they are measured in."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from suite.effort import Effort
from suite.errors import UsageError, unknown
from suite.frameworks import FRAMEWORKS, Framework, ModeClass, framework
from suite.profiles import Profile, find_profile
from suite.results.records import NOT_ATTEMPTED, Case, FrameworkInfo, Parameters, Settings
from suite.selection import compile_keyword
from workloads.registry import supports, workloads
from workloads.spec import Phase, Size, Workload

START_S = 1.5
"""Load, first call and calibration of a small case, seconds: for the expected time only."""

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

    def runnable(self) -> tuple[Case, ...]:
        """Cases that will be attempted."""
        return tuple(case for case in self.cases if case.reason_code == NOT_ATTEMPTED)

    def order(self, round_number: int) -> tuple[Case, ...]:
        """The cases of a round (1, 2, ...), shuffled anew each time and the same for the same seed."""
        cases = list(self.runnable())
        random.Random(f"{self.order_seed}/{round_number}").shuffle(cases)
        return tuple(cases)

    def effort(self, case: Case, rest: bool = False) -> Effort:
        """How long each part of a trial takes; `rest` asks for resident idle where the device has any."""
        kind = case.device.partition(":")[0]
        # NVML's averaged power lags by about 1 s on Ampere and newer (arXiv 2312.02741); RAPL by 1 ms.
        border_s = 0.15 if kind == "cpu" else 1.2
        window_s = self.profile.window_s[kind]
        return Effort(
            window_s=window_s,
            warmup_s=0.3,
            warmup_most_s=max(2.0, window_s),
            border_s=border_s,
            latency_s=self.latency_s,
            rest_s=REST_S if rest and kind != "cpu" else 0.0,
        )

    def trial_s(self, case: Case) -> float:
        """Expected duration of one trial, seconds."""
        effort = self.effort(case)
        return START_S + effort.warmup_s + effort.window_s + 2 * effort.border_s + effort.latency_s

    def expected_s(self) -> float:
        """Expected duration of the run, seconds."""
        trials = self.rounds * sum(self.trial_s(case) for case in self.runnable())
        return trials + self.rounds * ZYGOTES_S + 2 * self.profile.idle_s

    def outline(self) -> dict[str, Any]:
        """The plan as plain data; a case that will be run has no reason."""
        runnable = self.runnable()
        cases = [{"id": case.id, "reason": None if case in runnable else case.reason} for case in self.cases]
        return {"rounds": self.rounds, "expected_s": self.expected_s(), "cases": cases}


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

    def facts(self, batch_size: int) -> dict[str, Any]:
        """Fields of a case that follow from the task."""
        count = self.workload.parameters(self.preset)
        return {
            "workload": self.workload.name,
            "variant": self.workload.variant,
            "workload_version": self.workload.version(),
            "size": self.size,
            "phase": self.phase,
            "item": self.workload.item,
            "flops_per_item": self.workload.flops(self.preset, self.phase),
            "bytes_per_item": self.workload.bytes(self.preset, self.phase, batch_size),
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
    frameworks = _frameworks(settings, installed)
    cases = [
        case
        for workload in _workloads(settings, profile)
        for size in _sizes(settings, workload, profile)
        for phase in _phases(settings, workload)
        for chosen in frameworks
        for case in _of_framework(
            settings, profile, _Task(workload, size, phase), chosen, installed.get(chosen.name), threads
        )
    ]
    if profile.out_of_the_box and settings.allocator == "retain":
        cases += _out_of_the_box(cases)
    if settings.keyword is not None:
        match = compile_keyword(settings.keyword)
        cases = [case for case in cases if match(case.id)]
    if not cases:
        raise UsageError(
            "nothing is selected: no workload has all of what was asked for. `joulemark list --cases` without "
            "options shows what there is."
        )
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


def _frameworks(settings: Settings, installed: Mapping[str, FrameworkInfo]) -> list[Framework]:
    chosen = [framework(name) for name in settings.framework or FRAMEWORKS]
    known_modes = {mode for each in FRAMEWORKS.values() for mode in each.modes}
    for mode in settings.mode:
        if mode not in known_modes:
            raise unknown("mode", mode, known_modes)
    missing = [each for each in chosen if each.name not in installed]
    if missing and (settings.framework or len(missing) == len(chosen)):
        extras = ",".join(each.extra for each in missing)
        names = " and ".join(each.title for each in missing)
        raise UsageError(f"{names} not installed. Install: pip install 'joulemark[{extras}]'.")
    return chosen


def _workloads(settings: Settings, profile: Profile) -> list[Workload]:
    known = workloads()
    if not settings.workload:
        if profile.workloads is None:
            families: dict[str, Workload] = {}
            for workload in known.values():
                families.setdefault(workload.family, workload)
            return list(families.values())
        return [known[name] for name in profile.workloads or known]
    found: dict[str, Workload] = {}
    for name in settings.workload:
        matching = {key: each for key, each in known.items() if name in (key, each.name)}
        if not matching:
            raise unknown("workload", name, known)
        found |= matching
    return list(found.values())


def _sizes(settings: Settings, workload: Workload, profile: Profile) -> Sequence[str]:
    known = {size for each in workloads().values() for size in each.sizes}
    wanted = settings.size or (profile.size,)
    for size in wanted:
        if size not in known:
            raise unknown("size", size, known)
    return [size for size in wanted if size in workload.sizes]


def _phases(settings: Settings, workload: Workload) -> Sequence[Phase]:
    known = get_args(Phase)
    for phase in settings.phase:
        if phase not in known:
            raise unknown("phase", phase, known)
    return [phase for phase in workload.phases if not settings.phase or phase in settings.phase]


def _of_framework(
    settings: Settings,
    profile: Profile,
    task: _Task,
    chosen: Framework,
    info: FrameworkInfo | None,
    threads: int,
) -> list[Case]:
    """The cases of one task in one framework."""
    default = [chosen.default_mode]
    if profile.optimised:
        default += [mode for mode, kind in chosen.modes.items() if kind == "compiled"]
    modes = [mode for mode in settings.mode if mode in chosen.modes] if settings.mode else default
    cases = []
    for mode, device in itertools.product(modes, _devices(settings, info)):
        batches = settings.batch_size or (task.preset.batch_size[device.partition(":")[0]],)
        for precision, batch in itertools.product(_precisions(settings, chosen), batches):
            reason_code, reason = _obstacle(task.workload, chosen, info, chosen.modes[mode], precision)
            cases.append(
                Case(
                    id=f"{task.id}/{chosen.name}/{mode}/{device}/{precision}/b{batch}",
                    **task.facts(batch),
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
    workload: Workload, chosen: Framework, info: FrameworkInfo | None, mode_class: ModeClass, precision: str
) -> tuple[str, str]:
    """(code, reason) why a case will be skipped, or that it was not attempted yet."""
    if info is None:
        return "not_installed", f"{chosen.title} is not installed: pip install 'joulemark[{chosen.extra}]'"
    if not supports(workload, chosen.name):
        return "unsupported", f"{workload.id} has no implementation in {chosen.title}"
    if precision not in workload.precisions:
        return "unsupported", f"{workload.id} runs in {', '.join(workload.precisions)}, not in {precision}"
    if mode_class == "compiled" and not workload.compiles:
        return "unsupported", f"a step of {workload.id} is nothing that a compiler could take in"
    return NOT_ATTEMPTED, "not attempted"


def _devices(settings: Settings, info: FrameworkInfo | None) -> Sequence[str]:
    """The CPU, and the first board where there is one."""
    there = info.devices if info is not None else ("cpu",)
    if not settings.device:
        return [device for device in there if device in ("cpu", "cuda:0")]
    for device in settings.device:
        if info is not None and device not in there:
            raise unknown("device", device, there)
    return settings.device


def _precisions(settings: Settings, chosen: Framework) -> Sequence[str]:
    for precision in settings.precision:
        if precision not in chosen.precisions:
            raise unknown("precision", precision, chosen.precisions)
    return settings.precision or ("fp32",)
