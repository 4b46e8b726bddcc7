"""The cases of a report: each with its run, its row of the results table, its labels and its marker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from joulemark.reports.markers import Marker, marker
from joulemark.suite.records import Case, Emissions, Quantity, RunFile, Trial
from joulemark.suite.results.table import Row, Table, table

Group = tuple[str, ...]
"""What cases must share to stand in one row of a chart: everything but framework and mode."""


@dataclass(frozen=True)
class CaseView:
    """A case of one run, as the report shows it."""

    key: str
    """Unique in the report and the same for the same input: `c0`, `c1`, ..."""
    run: str
    """Label of its run: `A`, `B`, ..."""
    machine: str
    """Fingerprint of its machine."""
    row: Row
    """The case and its cells in the results table."""
    marker: Marker
    task: Group
    """Workload, phase and size: equal where two throughputs count the same items."""
    settings: Group
    """Device, precision, batch size and execution settings."""
    title: str
    """Workload and phase: `cnn training`."""
    detail: str
    """What else distinguishes its row: `small · cpu · fp32 · batch 32`, less what all cases share."""
    current: bool
    """Whether no later run in the report measured the same case on the same machine."""

    @property
    def case(self) -> Case:
        """The record."""
        return self.row.case

    @property
    def group(self) -> Group:
        """What it shares with the cases in the same row of a chart."""
        return (self.run, *self.task, *self.settings)

    @property
    def name(self) -> str:
        """Framework and mode for people: `PyTorch eager`."""
        return self.marker.name

    @property
    def full_name(self) -> str:
        """Title, framework, mode and detail in one line."""
        return ", ".join(label for label in (self.title, self.name, self.detail) if label)

    @property
    def estimated(self) -> bool:
        """Whether its energy comes from a model."""
        return self.quantity("energy_per_item_j").kind == "model"

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that count."""
        return tuple(trial for trial in self.case.trials if trial.status == "ok" and trial.window_s is not None)

    def quantity(self, name: str) -> Quantity:
        """Return the quantity `name` of the summary; one with a reason and no value if there is no summary."""
        if self.case.summary is None:
            reason = self.case.reason or f"the case was {self.case.status}"
            return Quantity(value=None, unit="", n=0, reason=reason)
        quantity: Quantity = getattr(self.case.summary, name)
        return quantity


def case_views(run_files: Sequence[RunFile]) -> tuple[Table, tuple[CaseView, ...], tuple[str, ...]]:
    """Return the table over the cases of all runs, a view of each of its rows in order, and what all cases share.

    Units are chosen over all runs, so that they can be read side by side.
    """
    runs = {id(case): (run_label(i), file) for i, file in enumerate(run_files) for case in file.cases}
    cases = tuple(case for file in run_files for case in file.cases)
    latest: dict[tuple[str, str, str], tuple[str, str]] = {}
    for case in cases:
        run, file = runs[id(case)]
        case_on_machine = _place(case, file)
        latest[case_on_machine] = max(latest.get(case_on_machine, ("", "")), (file.run.started_at, run))
    results = table(run_files[0].model_copy(update={"cases": cases, "emissions": _common_emissions(run_files)}))
    common = _common_labels(results.rows)
    views = []
    for i, row in enumerate(results.rows):
        run, file = runs[id(row.case)]
        labels = [label for label in _labels(row) if label not in common]
        labels += [f"run {run}"] if len(run_files) > 1 else []
        current = latest[_place(row.case, file)] == (file.run.started_at, run)
        views.append(_view(f"c{i}", run, file.machine.fingerprint, row, " · ".join(labels), current))
    return results, tuple(views), common


def _common_emissions(run_files: Sequence[RunFile]) -> Emissions:
    """Return what the table's extra columns are computed with; runs that differ in it have no such columns."""
    first = run_files[0].emissions
    if all(file.emissions == first for file in run_files):
        return first
    return first.model_copy(update={"intervals": (), "embodied": None})


def run_label(index: int) -> str:
    """Return the label of the run at `index`: A to Z, then AA, AB, ..."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _labels(row: Row) -> tuple[str, ...]:
    """Return everything in a case's id but workload, phase, framework and mode, for people."""
    case = row.case
    settings = [setting.replace("=", " ") for setting in row.settings.split("+")[1:]]
    return (f"size {case.size}", case.device, case.precision, f"batch {case.batch_size}", *settings)


def _common_labels(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the labels that all rows share, which stand once above the table."""
    labels = [_labels(row) for row in rows]
    return tuple(label for label in (labels[0] if labels else ()) if all(label in of_row for of_row in labels))


def _place(case: Case, file: RunFile) -> tuple[str, str, str]:
    """Return the case and its machine, of which a later run stands for all; the nodes of a job stand side by side."""
    return case.id, file.machine.fingerprint, file.run.id if file.node is not None else ""


def _view(key: str, run: str, machine: str, row: Row, detail: str, current: bool) -> CaseView:
    case = row.case
    return CaseView(
        key=key,
        run=run,
        machine=machine,
        row=row,
        marker=marker(case.framework, case.mode),
        task=(case.workload_id, case.phase, case.size),
        settings=(case.device, case.precision, str(case.batch_size), row.settings),
        title=f"{case.workload_id} {case.phase}",
        detail=detail,
        current=current,
    )
