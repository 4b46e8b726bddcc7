"""Several runs on one page: each against the first, how their environments differ, and values over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView, label
from joulemark.reports.model.pairs import NO_DRIFT, Pair, against
from joulemark.suite.records import RunFile
from joulemark.suite.results.history.series import energy_kind
from joulemark.suite.stats.drift import estimate_drift
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.variance import Variance


@dataclass(frozen=True)
class Unmatched:
    """A case that cannot be held against the first run's."""

    title: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """All later runs against the first."""

    baseline: str
    """Label of the first run."""
    pairs: tuple[Pair, ...]
    """A later run's case over the first run's."""
    unmatched: tuple[Unmatched, ...]
    labels: tuple[str, ...]
    differences: tuple[tuple[str, ...], ...]
    """Rows (fact, its value in each run) of what is not the same in all runs."""
    equal: int
    """How many facts are the same."""


def compare(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> Comparison | None:
    """None for one run."""
    if len(run_files) < 2:
        return None
    of_run: dict[str, list[CaseView]] = {label(i): [] for i in range(len(run_files))}
    for view in cases:
        of_run[view.run].append(view)
    (base, ones), *rest = of_run.items()
    pairs: list[Pair] = []
    unmatched: list[Unmatched] = []
    for file, (name, others) in zip(run_files[1:], rest, strict=True):
        if file.run.id == run_files[0].run.id:
            unmatched.append(Unmatched(f"run {name}", f"it is run {base} once more"))
            continue
        same = file.machine.fingerprint == run_files[0].machine.fingerprint
        drift = _drift(run_files, file) if same else NO_DRIFT
        found, why = against(run_files[0], ones, file, others, None if same else "machine", drift)
        pairs += [pair for pair in found if not pair.unlike]
        unmatched += [Unmatched(pair.one.full, pair.unlike) for pair in found if pair.unlike]
        matched = {view.key for pair in found for view in (pair.one, pair.other)}
        for lacks, views in ((base, others), (name, ones)):
            lonely = [view for view in views if view.key not in matched]
            # compare() calls its two runs A and B; here every run has a letter of its own.
            unmatched += [Unmatched(view.full, f"run {lacks}{why[view.case.id][1:]}") for view in lonely]
    labels = tuple(of_run)
    facts = [_environment(file) for file in run_files]
    names = dict.fromkeys(name for of_file in facts for name in of_file)
    rows = [(name, *(of_file.get(name, "absent") for of_file in facts)) for name in names]
    differences = tuple(row for row in rows if len(set(row[1:])) > 1)
    return Comparison(base, tuple(pairs), tuple(unmatched), labels, differences, len(rows) - len(differences))


def _drift(run_files: Sequence[RunFile], run_file: RunFile) -> Mapping[str, Variance]:
    """How much the machine of `run_file` drifts, from the other runs on the page; by metric, where they can tell."""
    of_machine = {
        file.run.id: file
        for file in run_files
        if file.run.id != run_file.run.id and file.machine.fingerprint == run_file.machine.fingerprint
    }
    known = {key: estimate_drift(list(of_machine.values()), key) for key, metric in METRICS.items() if metric.drifts}
    return {key: found for key, found in known.items() if found is not None}


def _environment(file: RunFile) -> dict[str, str]:
    """Facts that can move a number, by name."""
    machine, used = file.machine, file.emissions
    facts = {
        "processor": machine.cpu.model,
        "usable cores": f"{machine.cpu.usable_cores:g}",
        "memory": f"{machine.memory_bytes / 2**30:.1f} GiB",
        "system": machine.os,
        "virtual": machine.virtual or "no, or not known",
        "suite": file.run.suite_version,
        "profile": file.run.profile,
        "intensity": f"{used.intensity.g_per_kwh:g} g/kWh ({used.intensity.source})",
        "PUE": f"{used.pue.value:g}",
        "sensors": ", ".join(dict.fromkeys(trace.sensor for trace in file.traces)) or "none",
    }
    for gpu in machine.gpus:
        facts[f"GPU {gpu.index}"] = f"{gpu.name}, driver {gpu.driver}, limit {gpu.power_limit_w or 'not known'} W"
    for name, info in machine.frameworks.items():
        facts[name] = f"{info.version}, {info.build}, Python {info.python}"
    facts |= {f"package {name}": version for name, version in machine.packages.items()}
    facts |= {f"variable {name}": value for name, value in file.run.environment.items()}
    return facts


@dataclass(frozen=True)
class Series:
    """One case on one machine over several runs, by time."""

    views: tuple[CaseView, ...]
    started_at: tuple[str, ...]

    @property
    def energy_kinds(self) -> tuple[str | None, ...]:
        """Of each run's energy; None where it has none."""
        return tuple(_energy_kind(view) for view in self.views)


def _energy_kind(view: CaseView) -> str | None:
    energy = view.quantity("energy_per_item_j")
    return None if energy.value is None or energy.kind is None else energy_kind(energy.kind, energy.lower_bound)


def series(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> tuple[Series, ...]:
    """Every case that at least three runs on one machine measured in the same version."""
    started = {label(i): file.run.started_at for i, file in enumerate(run_files)}
    found: dict[tuple[str, str, str], list[CaseView]] = defaultdict(list)
    for view in cases:
        if view.case.summary is not None:
            found[view.case.id, view.machine, view.case.workload_version].append(view)
    made = []
    for views in found.values():
        if len({view.run for view in views}) >= 3:
            ordered = sorted(views, key=lambda view: started[view.run])
            made.append(Series(tuple(ordered), tuple(started[view.run] for view in ordered)))
    return tuple(made)
