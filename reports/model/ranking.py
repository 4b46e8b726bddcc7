"""Many machines in order: an index of each over the tasks that all of them share, against the first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.reports.markers import framework_title
from joulemark.reports.model.cases import run_label
from joulemark.reports.model.machine import machine_name
from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.machines import text
from joulemark.suite.stats.machines.baskets import Basket, Task
from joulemark.suite.stats.machines.compared import compare_with_reference
from joulemark.suite.stats.machines.index import QUANTITIES, Index, index_over
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.units import counted, significant

MIN_MACHINES: Final = 3
"""Machines that are ranked; two are compared with one another."""
_System = tuple[str, str]
"""Framework and mode."""


@dataclass(frozen=True)
class RankedMachine:
    """One machine in one framework."""

    run: str
    """Label of its latest run."""
    name: str
    host: str
    system: str
    """Framework and mode, for people."""
    speed: Index | None
    """Against the first machine; None for that itself."""
    efficiency: Index | None
    ratios: Mapping[Task, tuple[float | None, float | None]]
    """Speed and items per joule of each shared task over the first machine's; None where not comparable."""

    @property
    def value(self) -> float | None:
        """Its index of speed."""
        return 1.0 if self.speed is None else self.speed.value

    @property
    def texts(self) -> tuple[str, str]:
        """Both indices with their intervals; empty where there is none."""
        return _text(self.speed), _text(self.efficiency)

    @property
    def reason(self) -> str:
        """What has no index, and why; empty for nothing."""
        found = [index for index in (self.speed, self.efficiency) if index is not None and index.reason]
        return "; ".join(dict.fromkeys(text.reason(index) for index in found))


@dataclass(frozen=True)
class Ranking:
    """Machines in one framework and mode, the fastest first; those without an index come last."""

    machines: tuple[RankedMachine, ...]
    basket: Basket
    first: str
    """Name of the machine that the others are measured by."""

    @property
    def sentence(self) -> str:
        """The answer: the fastest, and by how much against the slowest that has an index."""
        known = [machine for machine in self.machines if machine.value is not None]
        best, worst = known[0], known[-1]
        times = (best.value or 1.0) / (worst.value or 1.0)
        return (
            f"Of {len(self.machines)} machines in {best.system}, {best.name} is the fastest over "
            f"{counted(len(self.basket.tasks), 'shared task')}: {significant(times)} times as fast as {worst.name}, "
            "the slowest."
        )

    @property
    def reasons(self) -> bool:
        """Whether any machine lacks an index or an interval."""
        return any(machine.reason for machine in self.machines)

    @property
    def tasks(self) -> str:
        """The tasks that all machines share."""
        return f"{self.basket.text}, in size {self.basket.size}, {self.basket.precision}"


def rankings(run_files: Sequence[RunFile]) -> tuple[Ranking, ...]:
    """Return a ranking for each framework in its default mode that at least MIN_MACHINES share a task in."""
    latest: dict[tuple[str, ...], tuple[str, RunFile]] = {}
    for i, file in enumerate(run_files):
        place = (file.machine.fingerprint, file.machine.hostname, _node(file))
        if place not in latest or file.run.started_at >= latest[place][1].run.started_at:
            latest[place] = run_label(i), file
    if len(latest) < MIN_MACHINES:
        return ()
    systems: dict[_System, list[tuple[str, RunFile]]] = defaultdict(list)
    for labelled in latest.values():
        for system in dict.fromkeys((case.framework, case.mode) for case in labelled[1].cases if _counts(case)):
            systems[system].append(labelled)
    found = [_ranking(system, files) for system, files in systems.items() if len(files) >= MIN_MACHINES]
    return tuple(ranking for ranking in found if ranking is not None)


def _node(file: RunFile) -> str:
    """Return what tells the nodes of a cluster apart, which may all have one host name; empty for other machines."""
    if file.node is None or not file.node.apart:
        return ""
    return file.node.machine or file.run.segments[0].boot_id


def _counts(case: Case) -> bool:
    framework = FRAMEWORKS.get(case.framework)
    default = framework is None or framework.default_mode == case.mode
    return default and case.summary is not None and "+" not in case.id and case.arm is None


def _ranking(system: _System, files: Sequence[tuple[str, RunFile]]) -> Ranking | None:
    basket = _shared(system, [file for _, file in files])
    if basket is None:
        return None
    first = files[0][1]
    machines = [_machine(system, basket, label, file, first) for label, file in files]
    ordered = sorted(machines, key=lambda each: (each.value is None, -(each.value or 0.0), each.name, each.run))
    return Ranking(tuple(ordered), basket, machine_name(first))


def _shared(system: _System, files: Sequence[RunFile]) -> Basket | None:
    """Return the tasks that all of `files` have, in the size and precision with most of them; None for none."""
    counts: Counter[tuple[str, str, Task]] = Counter()
    for file in files:
        own = {_key(case) for case in file.cases if _counts(case) and (case.framework, case.mode) == system}
        counts.update(own)
    shared = [key for key, count in counts.items() if count == len(files)]
    if not shared:
        return None
    (size, precision), _ = Counter((size, precision) for size, precision, _ in sorted(shared)).most_common(1)[0]
    tasks = sorted(task for *place, task in shared if tuple(place) == (size, precision))
    return Basket("the tasks that all share", size, precision, tuple(tasks))


def _key(case: Case) -> tuple[str, str, Task]:
    return case.size, case.precision, (case.workload_id, case.phase)


def _machine(system: _System, basket: Basket, label: str, file: RunFile, first: RunFile) -> RankedMachine:
    framework, mode = system
    name, host = machine_name(file), file.machine.hostname
    title = f"{framework_title(framework)} {mode}"
    if file is first:
        return RankedMachine(label, name, host, title, None, None, dict.fromkeys(basket.tasks, (1.0, 1.0)))
    by_metric: dict[str, list[Comparison]] = defaultdict(list)
    for each in compare_with_reference(first, file).comparisons:
        case = each.pair.b
        size, precision, task = _key(case)
        wanted = (size, precision, case.framework, case.mode) == (basket.size, basket.precision, *system)
        if wanted and task in basket.tasks and "+" not in case.id:
            by_metric[each.metric.key].append(each)
    speed, efficiency = (index_over(basket, *system, QUANTITIES[metric], by_metric[metric]) for metric in QUANTITIES)
    speeds, joules = (
        {(each.pair.b.workload_id, each.pair.b.phase): each.ratio for each in by_metric[metric]}
        for metric in QUANTITIES
    )
    ratios = {task: (speeds.get(task), 1 / j if (j := joules.get(task)) else None) for task in basket.tasks}
    return RankedMachine(label, name, host, title, speed, efficiency, ratios)


def _text(index: Index | None) -> str:
    if index is None:
        return "1"
    return "" if index.value is None else text.number(index)
