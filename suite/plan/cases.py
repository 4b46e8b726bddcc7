"""Profiles and selections -> the cases of a run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.plan import all_gpus, axes, ranks, responses
from joulemark.suite.plan.case_filter import compile_keyword
from joulemark.suite.plan.memory import MEMORY, memory_refusal
from joulemark.suite.plan.plan import Plan
from joulemark.suite.plan.profiles import DEVICE_KINDS, Profile, find_profile
from joulemark.suite.records import NOT_ATTEMPTED, Case, DeviceKind, FrameworkInfo, Parameters, Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS, Framework, mode_refusal
from joulemark.suite.trial.frameworks import framework as find_framework
from joulemark.suite.trial.frameworks.problem import find_problem
from joulemark.workloads.registry import supports
from joulemark.workloads.spec import ELEMENT_BYTES, Phase, Size, Workload
from joulemark.workloads.traffic import unfused_bytes

LATENCY_S = 2.0
"""Length of the pass that times single steps: 1,000 steps of 2 ms, ten of which lie beyond p99."""


@dataclass(frozen=True)
class _Task:
    """A workload, a size and a phase: the same in every framework."""

    workload: Workload
    size: str
    phase: Phase
    preset: Size
    """The size, with what the settings change of it."""
    device_kinds: tuple[DeviceKind, ...]
    """Kinds of device that it is measured on."""

    @property
    def id(self) -> str:
        return f"{self.workload.id}:{self.size}/{self.phase}"

    @property
    def settings(self) -> str:
        """The settings at the end of the ids of its cases."""
        return responses.suffix(self.preset, self.workload.sizes[self.size], self.phase)

    def fields(self, framework: str, batch_size: int, precision: str) -> dict[str, Any]:
        """Return the fields of a case that follow from the task."""
        count = self.workload.parameters(self.preset)
        element = ELEMENT_BYTES[precision]
        return {
            "workload": self.workload.name,
            "variant": self.workload.variant,
            "workload_version": self.workload.version(framework),
            "spec_version": self.workload.spec_version,
            "size": self.size,
            "phase": self.phase,
            "item": self.workload.counts(self.phase),
            "flops_per_item": self.workload.flops(self.preset, self.phase),
            "bytes_per_item": self.workload.bytes(self.preset, self.phase, batch_size, element),
            "unfused_bytes_per_item": None
            if self.settings  # counted at the default of the size
            else unfused_bytes(self.workload, self.size, self.phase, batch_size, element),
            "parameters": Parameters(total=count.total, trainable=count.trainable),
            "response": responses.planned(self.preset, self.phase),
        }


def make_plan(
    settings: Settings,
    installed: Mapping[str, FrameworkInfo],
    order_seed: int,
    threads: int,
    multiplies_bf16: bool = False,
    memory_bytes: Mapping[str, int] = MappingProxyType({}),
) -> Plan:
    """Return the plan for `settings` with the `installed` frameworks.

    `multiplies_bf16` where the CPU's cores do; `memory_bytes` by device, of those that tell theirs.

    Raises UsageError for unknown names, a named framework that cannot be used, a missing device, and an empty
    selection.
    """
    profile = find_profile(settings)
    threads = ranks.threads(settings, profile, threads)
    if not multiplies_bf16:
        profile = replace(profile, bf16_on_cpu=())
    frameworks = axes.frameworks(settings, installed)
    infos = [installed[each.name] for each in frameworks if each.name in installed]
    on_all = all_gpus.ALL in settings.device
    settings = all_gpus.named(settings, infos)
    threads = all_gpus.threads(settings, profile, len(settings.device), threads) if on_all else threads
    axes.check_devices(settings, infos)
    cases = [
        case
        for workload in axes.selected_workloads(settings, profile)
        for task in _tasks(settings, profile, workload)
        for framework in frameworks
        for case in _cases(settings, profile, task, framework, installed.get(framework.name), threads, memory_bytes)
    ]
    if settings.ranks:
        cases = ranks.distributed(cases, settings, installed)
    elif on_all:
        cases += all_gpus.at_once(cases, installed)
    elif profile.out_of_the_box and settings.allocator == "retain":
        cases += _out_of_the_box(cases)
    if not cases:
        raise UsageError(
            "nothing is selected: no workload has all of the selected sizes, phases and modes. `joulemark list` shows "
            "those of each."
        )
    responses.check_memory(settings, cases)
    cases = list({case.id: case for case in cases}.values())  # an axis may name a value twice
    if settings.keyword is not None:
        cases = _filtered(cases, settings.keyword)
    latency_s = LATENCY_S if settings.latency else 0.0
    plan = Plan(profile, tuple(cases), settings.rounds or profile.rounds, order_seed, latency_s)
    return plan if settings.rounds else plan.within_limit()


def check_names(settings: Settings) -> None:
    """Raise UsageError for an unknown name in a selection, before frameworks are imported to plan it."""
    profile = find_profile(settings)
    if settings.keyword is not None:
        compile_keyword(settings.keyword)
    tasks = [task for each in axes.selected_workloads(settings, profile) for task in _tasks(settings, profile, each)]
    responses.check_phases(settings, {task.phase for task in tasks})
    ranks.check_options(settings, {task.phase for task in tasks})
    for name in settings.framework or FRAMEWORKS:
        framework = find_framework(name)
        for kind in DEVICE_KINDS:
            axes.modes(settings, profile, framework, kind)
            axes.precisions(settings, profile, framework, kind)


def _tasks(settings: Settings, profile: Profile, workload: Workload) -> list[_Task]:
    """Return the tasks of one workload, each with the kinds of device that have its size."""
    selected = {
        kind: list(
            itertools.product(
                axes.sizes(settings, workload, profile, kind), axes.phases(settings, profile, workload, kind)
            )
        )
        for kind in DEVICE_KINDS
    }
    return [
        _Task(
            workload,
            size,
            phase,
            responses.preset(settings, workload, size, phase),
            tuple(kind for kind in DEVICE_KINDS if (size, phase) in selected[kind]),
        )
        for size, phase in dict.fromkeys(itertools.chain.from_iterable(selected.values()))
    ]


def _filtered(cases: Sequence[Case], keyword: str) -> list[Case]:
    """Return the cases that match `-k`. Raises UsageError if there are none."""
    match = compile_keyword(keyword)
    matching = [case for case in cases if match(case.id)]
    if not matching:
        raise UsageError(
            f"nothing is selected: -k {keyword!r} matches none of the {len(cases)} selected cases, such as "
            f"{cases[0].id}. Change it, or select others with --profile or --workload."
        )
    return matching


def _out_of_the_box(cases: Sequence[Case]) -> list[Case]:
    """Return the first CPU training case of each framework again, with the default allocator."""
    first: dict[str, Case] = {}
    for case in cases:
        if case.phase == "training" and case.device == "cpu":
            first.setdefault(case.framework, case)
    return [
        case.model_copy(update={"id": f"{case.id}+allocator=default", "allocator": "default"})
        for case in first.values()
    ]


def _cases(
    settings: Settings,
    profile: Profile,
    task: _Task,
    framework: Framework,
    info: FrameworkInfo | None,
    threads: int,
    memory_bytes: Mapping[str, int],
) -> list[Case]:
    """Return the cases of one task in one framework."""
    cases = []
    for device in axes.devices(settings, info):
        kind: DeviceKind = "cpu" if device == "cpu" else "cuda"
        if kind not in task.device_kinds:
            continue
        modes = axes.modes(settings, profile, framework, kind, task.workload)
        precisions = axes.precisions(settings, profile, framework, kind, task.workload)
        batch_sizes = settings.batch_size or (task.preset.batch_size[kind],)
        for mode, precision, batch_size in itertools.product(modes, precisions, batch_sizes):
            compiled = framework.modes[mode] == "compiled"
            refusal = mode_refusal(framework, mode, kind)
            refusal = refusal or task.workload.refusal(kind, precision, batch_size, compiled)
            reason_code, reason = _initial_reason(settings, task.workload, framework, info, device, refusal)
            if reason_code == NOT_ATTEMPTED:
                shape = task.preset, task.phase, batch_size, precision
                too_large = memory_refusal(task.workload, *shape, memory_bytes.get(device))
                reason_code, reason = (reason_code, reason) if too_large is None else (MEMORY, too_large)
            cases.append(
                Case(
                    id=f"{task.id}/{framework.name}/{mode}/{device}/{precision}/b{batch_size}{task.settings}",
                    **task.fields(framework.name, batch_size, precision),
                    framework=framework.name,
                    mode=mode,
                    device=device,
                    precision=precision,
                    batch_size=batch_size,
                    threads=threads,
                    allocator=settings.allocator,
                    status="skipped",
                    reason_code=reason_code,
                    reason=reason,
                )
            )
    return cases


def _initial_reason(
    settings: Settings,
    workload: Workload,
    framework: Framework,
    info: FrameworkInfo | None,
    device: str,
    refusal: str | None,
) -> tuple[str, str]:
    """Return the code and reason why a case will be skipped, or that it was not attempted yet.

    `refusal` is the reason of its workload, if it has one.
    """
    problem = find_problem(framework, info, settings.python.get(framework.name))
    if problem is not None:
        return problem.code, problem.text
    if info is not None and device not in info.devices:
        return "unsupported", f"{framework.title} sees no device {device}{f': {info.blind}' if info.blind else ''}"
    if not supports(workload, framework.name):
        return "unsupported", f"{workload.id} has no implementation in {framework.title}"
    if refusal is not None:
        return "unsupported", refusal
    return NOT_ATTEMPTED, "not attempted"
