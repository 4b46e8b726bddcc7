"""One case as the report shows it: its record, its run, and its words and marks for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from joulemark.reports.marks import Mark, mark
from joulemark.suite.records import Case, Emissions, Quantity, RunFile, Trial
from joulemark.suite.results.table import Row, Table, table

Group = tuple[str, ...]
"""All that two cases must share to stand in one row of a chart: everything but framework and mode."""


@dataclass(frozen=True)
class CaseView:
    """A case of one run."""

    key: str
    """Unique in the report and fixed for the same input: `c0`, `c1`, ..."""
    run: str
    """Label of its run: `A`, `B`, ..."""
    machine: str
    """Fingerprint of its machine."""
    row: Row
    """The case and its cells in the one table."""
    mark: Mark
    work: Group
    """Workload, phase, size: what must be equal for two throughputs to count the same thing."""
    settings: Group
    """Device, precision, batch size and execution settings."""
    title: str
    """Workload and phase: `cnn training`."""
    detail: str
    """What else tells its row from others: `small · cpu · fp32 · batch 32`, less what all cases share."""
    current: bool
    """Whether no later run in the report measured the same case on the same machine."""

    @property
    def case(self) -> Case:
        """The record."""
        return self.row.case

    @property
    def group(self) -> Group:
        """What it shares with the cases beside it in a chart."""
        return (self.run, *self.work, *self.settings)

    @property
    def name(self) -> str:
        """Framework and mode for people."""
        return self.mark.name

    @property
    def full(self) -> str:
        """Title, framework and detail in one line."""
        return ", ".join(part for part in (self.title, self.name, self.detail) if part)

    @property
    def estimated(self) -> bool:
        """Whether its energy is a model's and no sensor's."""
        return self.quantity("energy_per_item_j").kind == "model"

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that counted."""
        return tuple(trial for trial in self.case.trials if trial.status == "ok" and trial.window_s is not None)

    def quantity(self, name: str) -> Quantity:
        """The quantity `name` of the summary; without a value, with the reason, where there is no summary."""
        if self.case.summary is None:
            reason = self.case.reason or f"the case was {self.case.status}"
            return Quantity(value=None, unit="", n=0, reason=reason)
        found: Quantity = getattr(self.case.summary, name)
        return found


def views(run_files: Sequence[RunFile]) -> tuple[Table, tuple[CaseView, ...], tuple[str, ...]]:
    """The one table over all cases of all runs, a view of each of its rows in its order, and what all of them share.

    Units are chosen over all of them, so that runs can be read side by side.
    """
    runs = {id(case): (label(i), file) for i, file in enumerate(run_files) for case in file.cases}
    cases = tuple(case for file in run_files for case in file.cases)
    latest: dict[tuple[str, str], tuple[str, str]] = {}
    for case in cases:
        name, file = runs[id(case)]
        same = (case.id, file.machine.fingerprint)
        latest[same] = max(latest.get(same, ("", "")), (file.run.started_at, name))
    found = table(run_files[0].model_copy(update={"cases": cases, "emissions": _emissions(run_files)}))
    common = _common(found.rows)
    several = len(run_files) > 1
    made = []
    for i, row in enumerate(found.rows):
        name, file = runs[id(row.case)]
        words = [word for word in _words(row) if word not in common] + ([f"run {name}"] if several else [])
        current = latest[row.case.id, file.machine.fingerprint] == (file.run.started_at, name)
        made.append(_view(f"c{i}", name, file.machine.fingerprint, row, " · ".join(words), current))
    return found, tuple(made), common


def _emissions(run_files: Sequence[RunFile]) -> Emissions:
    """What the table's extra columns are made with; runs that differ in it have none of these columns."""
    first = run_files[0].emissions
    if all(file.emissions == first for file in run_files):
        return first
    return first.model_copy(update={"intervals": (), "embodied": None})


def label(index: int) -> str:
    """The label of the run at `index`: A to Z, then AA, AB, ..."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _words(row: Row) -> tuple[str, ...]:
    """Everything in a case's id beside workload, phase and framework, for people."""
    case = row.case
    settings = [setting.replace("=", " ") for setting in row.settings.split("+")[1:]]
    return (f"size {case.size}", case.device, case.precision, f"batch {case.batch_size}", *settings)


def _common(rows: Iterable[Row]) -> tuple[str, ...]:
    """The words that all rows share: said once, above the table, and nowhere else."""
    words = [_words(row) for row in rows]
    return tuple(word for word in (words[0] if words else ()) if all(word in other for other in words))


def _view(key: str, run: str, machine: str, row: Row, detail: str, current: bool) -> CaseView:
    case = row.case
    workload = case.workload_id
    return CaseView(
        key=key,
        run=run,
        machine=machine,
        row=row,
        mark=mark(case.framework, case.mode),
        work=(workload, case.phase, case.size),
        settings=(case.device, case.precision, str(case.batch_size), row.settings),
        title=f"{workload} {case.phase}",
        detail=detail,
        current=current,
    )
