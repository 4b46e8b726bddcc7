"""The warnings at the top of the page: everything that could make its numbers misleading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView, run_label
from joulemark.suite.energy.energy_source import source_of_cases
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, RunFile, worst
from joulemark.suite.units import counted

# What changes the meaning of every number on the page comes first.
_SEVERE = (Code.SIMULATED, Code.ENERGY_ESTIMATED, Code.ENERGY_UNAVAILABLE, Code.OUTPUTS_DIFFER, Code.RUN_INCOMPLETE)


@dataclass(frozen=True)
class NoticeGroup:
    """All notices of one code."""

    notice: Notice
    """The worst of them."""
    subjects: tuple[str, ...]
    """The runs and cases, each with its own message where they differ; empty if it applies to the whole page."""
    affected: str
    """`2 runs, 23 cases`, or `the worst of 23 cases`; empty if it applies to the whole page."""
    severe: bool


@dataclass(frozen=True)
class FailedCase:
    """A case without a result."""

    title: str
    status: str
    reason: str


@dataclass(frozen=True)
class Warnings:
    """The warnings of a report."""

    verdict: str
    """One line: complete or partial, how many cases failed, whether energy is measured."""
    all_clear: bool
    """Whether there is nothing to warn of."""
    notices: tuple[NoticeGroup, ...]
    failed: tuple[FailedCase, ...]

    @property
    def count(self) -> str:
        """How many there are: `5 warnings, 1 of them severe; 2 cases without a result`."""
        severe = sum(group.severe for group in self.notices)
        texts = [counted(len(self.notices), "warning")] if self.notices else []
        texts[0:1] = [f"{text}, {severe} severe" if severe else text for text in texts[0:1]]
        texts += [f"{counted(len(self.failed), 'case')} without a result"] if self.failed else []
        return "; ".join(texts) or "No warnings"


def report_warnings(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> Warnings:
    """Return the warnings of a report; notices of one code stand once, with all they apply to."""
    by_code: dict[Code, list[_Entry]] = defaultdict(list)
    for index, file in enumerate(run_files):
        for notice in file.notices:
            by_code[notice.code].append((notice, f"run {run_label(index)}" if len(run_files) > 1 else "", "run"))
    for view in cases:
        notices = list(view.case.notices) + [notice for trial in view.case.trials for notice in trial.notices]
        for notice in dict.fromkeys(notices):
            by_code[notice.code].append((notice, view.full_name, "case"))
    groups = [_group(entries) for entries in by_code.values()]
    failed = tuple(_failed_case(view) for view in cases if view.case.status != "ok")
    return Warnings(
        verdict=" ".join((_completeness(run_files, cases), _counts(cases), _energy(run_files))),
        all_clear=bool(cases) and not groups and not failed and _is_measured(run_files, cases),
        notices=tuple(sorted(groups, key=lambda group: not group.severe)),
        failed=failed,
    )


_Entry = tuple[Notice, str, str]
"""A notice, the name of what it applies to, and whether that is a run or a case."""


def _group(entries: Sequence[_Entry]) -> NoticeGroup:
    notices = [notice for notice, _, _ in entries]
    differ = len({notice.message for notice in notices}) > 1
    notice = worst(notices)
    subjects = dict.fromkeys(f"{name}: {entry.message}" if differ else name for entry, name, _ in entries if name)
    counts = {noun: len({name for _, name, kind in entries if name and kind == noun}) for noun in ("run", "case")}
    affected = ", ".join(counted(count, noun) for noun, count in counts.items() if count)
    prefix = "the worst of " if affected and differ and isinstance(notice.value, float) else ""
    return NoticeGroup(notice, tuple(subjects), prefix + affected, notice.code in _SEVERE)


def _is_measured(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> bool:
    """Return whether every run is complete, with real sensors, and every case has its energy from them."""
    real = all(file.run.complete and not any(trace.simulated for trace in file.traces) for file in run_files)
    return real and all(view.quantity("energy_per_item_j").kind in {"counter", "integrated"} for view in cases)


def _failed_case(view: CaseView) -> FailedCase:
    """Return a case without a result, with the reasons of its trials."""
    reasons = [view.case.reason or "no reason given"]
    reasons += [trial.reason for trial in view.case.trials if trial.status != "ok" and trial.reason]
    return FailedCase(view.full_name, view.case.status, "; ".join(dict.fromkeys(reasons)))


def _completeness(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> str:
    partial = [run_label(i) for i, file in enumerate(run_files) if not file.run.complete]
    if not partial:
        return "Complete." if any(view.case.status == "ok" for view in cases) else "Nothing was measured."
    return "Partial: the run was interrupted." if len(run_files) == 1 else f"Partial: run {', '.join(partial)}."


def _counts(cases: Sequence[CaseView]) -> str:
    if not cases:
        return "No case was planned."
    counts = {status: sum(view.case.status == status for view in cases) for status in ("ok", "failed", "skipped")}
    texts = [f"{counts['ok']} of {counted(len(cases), 'case')} measured"]
    texts += [f"{counts[status]} {status}" for status in ("failed", "skipped") if counts[status]]
    return ", ".join(texts) + "."


def _energy(run_files: Sequence[RunFile]) -> str:
    """Return where the energy on the page comes from."""
    source = source_of_cases(run_files)
    return "No energy was read." if source is None else f"Energy: {source}."
