"""Several runs: each later run against the first, and the differences between their environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joulemark.reports.data_table import DataTable
from joulemark.reports.model.cases import CaseView, run_label
from joulemark.reports.model.pairs import UNKNOWN_DRIFT, Pair, pair_views
from joulemark.reports.model.work import changed_counts, changes_table
from joulemark.suite.energy.energy_source import source_of_cases
from joulemark.suite.records import RunFile
from joulemark.suite.stats.drift import drift_variances
from joulemark.suite.stats.variance import Variance
from joulemark.suite.stats.work_counts.comparison import CountComparison
from joulemark.suite.system.text import LEFT_OUT
from joulemark.suite.trial.environment import SCRATCH_VARIABLES


@dataclass(frozen=True)
class Unmatched:
    """A case that cannot be compared with the first run's."""

    title: str
    reason: str


@dataclass(frozen=True)
class RunComparison:
    """All later runs against the first."""

    baseline: str
    """Label of the first run."""
    pairs: tuple[Pair, ...]
    """A later run's case over the first run's."""
    unmatched: tuple[Unmatched, ...]
    labels: tuple[str, ...]
    differences: tuple[tuple[str, ...], ...]
    """Rows (fact, its value in each run) of the facts that differ between runs."""
    equal: int
    """Number of facts that are the same in all runs."""
    work: DataTable | None = None
    """Counts of a step that differ from the first run's; None if none does."""


def compare_runs(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> RunComparison | None:
    """Return the comparison of all runs with the first; None for one run."""
    if len(run_files) < 2:
        return None
    by_run: dict[str, list[CaseView]] = {run_label(i): [] for i in range(len(run_files))}
    for view in cases:
        by_run[view.run].append(view)
    (baseline, baseline_views), *later = by_run.items()
    pairs: list[Pair] = []
    unmatched: list[Unmatched] = []
    changes: dict[str, tuple[CountComparison, ...]] = {}
    for file, (run, views) in zip(run_files[1:], later, strict=True):
        if file.run.id == run_files[0].run.id:
            unmatched.append(Unmatched(f"run {run}", f"it is the same as run {baseline}"))
            continue
        same_machine = file.machine.fingerprint == run_files[0].machine.fingerprint
        drift = _drift(run_files, file) if same_machine else UNKNOWN_DRIFT
        by = None if same_machine else "machine"
        changes[run] = changed_counts(run_files[0], file, by)
        matched, missing_reasons = pair_views(run_files[0], baseline_views, file, views, by, drift)
        pairs += [pair for pair in matched if not pair.incomparable]
        unmatched += [Unmatched(pair.first.full_name, pair.incomparable) for pair in matched if pair.incomparable]
        paired_keys = {view.key for pair in matched for view in (pair.first, pair.second)}
        for lacking_run, present in ((baseline, views), (run, baseline_views)):
            # compare() calls its two runs A and B; here every run has a letter of its own.
            unmatched += [
                Unmatched(view.full_name, f"run {lacking_run}{missing_reasons[view.case.id][1:]}")
                for view in present
                if view.key not in paired_keys
            ]
    facts = [_environment_facts(file) for file in run_files]
    fact_names = dict.fromkeys(name for of_run in facts for name in of_run)
    rows = [(name, *(of_run.get(name, "absent") for of_run in facts)) for name in fact_names]
    unlike = [row for row in rows if len(set(row[1:])) > 1]
    differences = tuple(row for row in unlike if len({LEFT_OUT in value for value in row[1:]}) == 1)
    equal = len(rows) - len(unlike)
    names = {run: {view.case.id: view.full_name for view in views} for run, views in by_run.items()}
    work = changes_table(changes, names, baseline)
    return RunComparison(baseline, tuple(pairs), tuple(unmatched), tuple(by_run), differences, equal, work)


def _drift(run_files: Sequence[RunFile], run_file: RunFile) -> Mapping[str, Variance]:
    """Return the drift of the machine of `run_file`, estimated from the other runs on the page; by metric if known."""
    of_machine = {
        file.run.id: file
        for file in run_files
        if file.run.id != run_file.run.id and file.machine.fingerprint == run_file.machine.fingerprint
    }
    return drift_variances(list(of_machine.values()))


def _environment_facts(file: RunFile) -> dict[str, str]:
    """Return the facts that can affect a number, by name."""
    machine, emissions = file.machine, file.emissions
    facts = {
        "processor": machine.cpu.model,
        "usable cores": f"{machine.cpu.usable_cores:g}",
        "memory": f"{machine.memory_bytes / 2**30:.1f} GiB",
        "system": machine.os,
        "virtual": machine.virtual or "no, or unknown",
        "joulemark": file.run.suite_version,
        "profile": file.run.profile,
        "intensity": f"{emissions.intensity.g_per_kwh:g} g/kWh ({emissions.intensity.source})",
        "PUE": f"{emissions.pue.value:g}",
        "energy": source_of_cases([file]) or "none was read",
    }
    for gpu in machine.gpus:
        facts[f"GPU {gpu.index}"] = f"{gpu.name}, driver {gpu.driver}, limit {gpu.power_limit_w or 'unknown'} W"
    for name, info in machine.frameworks.items():
        facts[name] = f"{info.label}, Python {info.python}"
    facts |= {f"package {name}": version for name, version in machine.packages.items()}
    variables = {name: value for name, value in file.run.environment.items() if name not in SCRATCH_VARIABLES}
    facts |= {f"variable {name}": value for name, value in variables.items()}
    return facts
