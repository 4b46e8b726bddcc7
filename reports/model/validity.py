"""The validity strip: everything that could make the page mislead, in words, before anything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView, label
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, RunFile, worst
from joulemark.suite.units import counted

# What changes the meaning of every number on the page comes first.
_GRAVE = (Code.SIMULATED, Code.ENERGY_ESTIMATED, Code.ENERGY_UNAVAILABLE, Code.OUTPUTS_DIFFER, Code.RUN_INCOMPLETE)


@dataclass(frozen=True)
class Warned:
    """All notices of one code."""

    notice: Notice
    """The worst of them."""
    about: tuple[str, ...]
    """What it is about, with each one's own message where they differ; empty where it is the whole page."""
    affected: str
    """How many of what: `2 runs, 23 cases`, or `the worst of 23 cases`; empty where it is the whole page."""
    grave: bool


@dataclass(frozen=True)
class Lost:
    """A case without a result."""

    title: str
    status: str
    reason: str


@dataclass(frozen=True)
class Warnings:
    """What the strip says."""

    verdict: str
    """One line: complete or partial, how many failed, whether energy is measured."""
    sound: bool
    """Whether there is nothing to warn of."""
    notices: tuple[Warned, ...]
    lost: tuple[Lost, ...]


def warnings(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> Warnings:
    """The strip of a report. Notices of one code are said once, with all that they are about."""
    by_code: dict[Code, list[_Entry]] = defaultdict(list)
    for index, file in enumerate(run_files):
        for notice in file.notices:
            by_code[notice.code].append((notice, f"run {label(index)}" if len(run_files) > 1 else "", "run"))
    for view in cases:
        own = list(view.case.notices) + [notice for trial in view.case.trials for notice in trial.notices]
        for notice in dict.fromkeys(own):
            by_code[notice.code].append((notice, view.full, "case"))
    found = [_warned(entries) for entries in by_code.values()]
    lost = tuple(_lost(view) for view in cases if view.case.status != "ok")
    return Warnings(
        verdict=" ".join((_completeness(run_files, cases), _counts(cases), _energy(run_files, cases))),
        sound=bool(cases) and not found and not lost and _measured(run_files, cases),
        notices=tuple(sorted(found, key=lambda warned: not warned.grave)),
        lost=lost,
    )


_Entry = tuple[Notice, str, str]
"""A notice, what it is about, and whether that is a run or a case."""


def _warned(entries: Sequence[_Entry]) -> Warned:
    notices = [notice for notice, _, _ in entries]
    differ = len({notice.message for notice in notices}) > 1
    chosen = worst(notices)
    about = dict.fromkeys(f"{name}: {notice.message}" if differ else name for notice, name, _ in entries if name)
    counts = {what: len({name for _, name, kind in entries if name and kind == what}) for what in ("run", "case")}
    affected = ", ".join(counted(count, what) for what, count in counts.items() if count)
    among = "the worst of " if affected and differ and isinstance(chosen.value, float) else ""
    return Warned(chosen, tuple(about), among + affected, chosen.code in _GRAVE)


def _measured(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> bool:
    """Whether every run is complete, its sensors are real and every case has its energy from them."""
    real = all(file.run.complete and not any(t.simulated for t in file.traces) for file in run_files)
    return real and all(view.quantity("energy_per_item_j").kind in {"counter", "integrated"} for view in cases)


def _lost(view: CaseView) -> Lost:
    """A case without a result, with what its trials said."""
    reasons = dict.fromkeys(trial.reason for trial in view.case.trials if trial.status != "ok" and trial.reason)
    said = [view.case.reason or "no reason given", *(reason for reason in reasons if reason != view.case.reason)]
    return Lost(view.full, view.case.status, "; ".join(filter(None, said)))


def _completeness(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> str:
    partial = [label(i) for i, file in enumerate(run_files) if not file.run.complete]
    if not partial:
        return "Complete." if any(view.case.status == "ok" for view in cases) else "Nothing was measured."
    return "Partial: the run was interrupted." if len(run_files) == 1 else f"Partial: run {', '.join(partial)}."


def _counts(cases: Sequence[CaseView]) -> str:
    if not cases:
        return "No case was planned."
    counts = {status: sum(v.case.status == status for v in cases) for status in ("ok", "failed", "skipped")}
    words = [f"{counts['ok']} of {counted(len(cases), 'case')} measured"]
    words += [f"{counts[status]} {status}" for status in ("failed", "skipped") if counts[status]]
    return ", ".join(words) + "."


def _energy(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> str:
    """What kind of energy the page shows, and by what."""
    kinds = {view.quantity("energy_per_item_j").kind for view in cases if view.case.status == "ok"}
    if not kinds:
        return "No energy was read."
    if kinds <= {None, "unavailable"}:
        return "Energy was not measured."
    sensors = sorted({t.sensor for file in run_files for t in file.traces})
    simulated = any(t.simulated for file in run_files for t in file.traces)
    if simulated:
        return f"Energy comes from a simulated sensor ({', '.join(sensors)})."
    if "model" not in kinds:
        return f"Energy was measured ({', '.join(sensors) or 'sensor not named'})."
    if kinds - {"model", None, "unavailable"}:
        return "Energy was measured for some cases and estimated for others: see the marks."
    return f"Energy is estimated, not measured, by {', '.join(sensors) or 'a model'}."
