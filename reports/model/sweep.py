"""Sweeps of settings: what a report says of them first."""

from __future__ import annotations

from collections.abc import Sequence

from joulemark.reports.markers import framework_title
from joulemark.reports.model.headline import Headline
from joulemark.suite.records import RunFile
from joulemark.suite.stats.sweep.analysis import TaskSweep, analyse
from joulemark.suite.stats.sweep.sentences import choice_sentences, gain_sentence

MAX_SENTENCES = 4
"""Of the headline; the section of the sweep has all tasks."""


def sweep_headline(run_files: Sequence[RunFile]) -> Headline | None:
    """Return what the best settings of each task gain; None if no run is a sweep."""
    sentences = [
        f"{sweep_title(sweep)}: {finding(sweep, file.settings.slowdown)}.{_unranked(sweep)}"
        for file in run_files
        for sweep in analyse(file)
        if sweep.points
    ]
    return Headline(tuple(sentences[:MAX_SENTENCES]), "") if sentences else None


def sweep_title(sweep: TaskSweep) -> str:
    """Return a task for people: `resnet50 training, PyTorch, cuda:0`."""
    case = sweep.points[0].case
    return ", ".join([f"{case.workload_id} {case.phase}", framework_title(case.framework), case.device])


def finding(sweep: TaskSweep, slowdown: float, goals: Sequence[str] = ("joules", "speed")) -> str:
    """Return what the best setting by the first of `goals` gains or, without that, which setting is best."""
    choices = [choice for goal, choice in sweep.choices.items() if goal in goals]
    sentences = [sentence for choice in choices if (sentence := gain_sentence(choice))]
    sentences += choice_sentences(sweep, slowdown, goals)
    return sentences[0] if sentences else "; ".join(["no setting can be called the best", *sweep.reasons[:1]])


def _unranked(sweep: TaskSweep) -> str:
    """Return why joules are not ranked as a sentence that follows another; empty where they are."""
    return f" {sweep.unranked[:1].upper()}{sweep.unranked[1:]}." if sweep.unranked else ""
