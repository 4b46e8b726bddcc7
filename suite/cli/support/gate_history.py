"""`joulemark history --gate`: what the gate has done over all kept checks, as plain data and for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from joulemark.suite.errors import UsageError
from joulemark.suite.results.history.checks import SUFFIX, Check, kept_checks
from joulemark.suite.results.history.gate_rates import MIN_CHECKS, GateHistory, SeenChange
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.system.directories import expanded
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import counted

if TYPE_CHECKING:
    from joulemark.suite.stats.proportion import Proportion

MAX_ALARMS = 20
"""Alarms and changes that are listed one by one, the latest."""


def load_checks(
    location: str, matches: Callable[[str], bool], metrics: Sequence[str] | None
) -> tuple[list[Check], int]:
    """Return the checks kept at `location` with what they say of `metrics` (None: all) of the cases that match, and how
    many lines were damaged.

    Raises UsageError if there is none, if `location` is no directory, or for a metric that no check judges.
    """
    if "://" in location and not location.startswith("file://"):
        raise UsageError(f"--gate reads a directory, not {location}: copy the runs with their {SUFFIX} files.")
    for metric in metrics or ():
        if metric not in METRICS:
            raise UsageError(f"--metric {metric} is not judged by `check`: {', '.join(METRICS)} are.")
    kept, damaged = kept_checks(expanded(location.removeprefix("file://")))
    checks = [
        check.of_metrics(lambda judged: matches(judged.case) and judged.metric in (metrics or METRICS))
        for check in kept
    ]
    if not any(check.metrics for check in checks):
        what = "of these cases and metrics " if kept else ""
        raise UsageError(
            f"no verdict {what}is kept in {location}: `joulemark check` leaves one beside each run it judges."
        )
    return [check for check in checks if check.metrics], damaged


def gate_document(history: GateHistory, damaged: int) -> dict[str, Any]:
    """Return the `--json` object."""
    return {
        "checks": history.checks,
        "damaged": damaged,
        "outcomes": {
            "fine": _share(history.fine),
            "not conclusive": _share(history.not_conclusive),
            "regression": _share(history.regression),
        },
        "more_work": history.more_work,
        "cases": [
            {
                "case": rates.case,
                "metric": rates.metric,
                "how": rates.how,
                "held": _share(rates.held),
                "in_doubt": _share(rates.in_doubt),
                "regressed": _share(rates.regressed),
                "smallest_alarm": rates.smallest_alarm,
                "follow_up": _follow_up_counts(rates.alarms),
            }
            for rates in history.cases
        ],
        "alarms": [
            {
                "run": alarm.run,
                "how": alarm.how,
                **alarm.metric.model_dump(include={"case", "metric", "ratio", "low", "high", "threshold"}),
                "follow_up": alarm.follow_up,
            }
            for alarm in history.alarms
        ],
        "changes": [
            {
                "case": seen.series.case,
                "metric": seen.series.metric,
                "run": seen.change.point.run,
                "ratio": seen.change.change_point.ratio,
                "alarmed": seen.alarmed,
            }
            for seen in history.changes
        ],
    }


def _share(share: Proportion) -> dict[str, float | int | None]:
    low, high = share.interval()
    return {"count": share.count, "of": share.of, "share": share.value, "low": low, "high": high}


def _follow_up_counts(alarms: Sequence[Any]) -> dict[str, int]:
    labels = [alarm.follow_up for alarm in alarms]
    return {label: labels.count(label) for label in ("confirmed", "returned", "open")}


def gate_text(history: GateHistory) -> list[RenderableType]:
    """Return what a terminal shows: one line if there are too few checks for rates."""
    if history.checks < MIN_CHECKS:
        return [f"{counted(history.checks, 'check')} kept: rates need at least {MIN_CHECKS}. --json has the verdicts."]
    head = (
        f"{history.checks} checks: {percent(history.fine)} passed, {percent(history.regression)} alarmed, "
        f"{percent(history.not_conclusive)} not conclusive (exact 95 % intervals)."
    )
    if history.more_work:
        head += f" {counted(history.more_work, 'alarm')} by what a step does, which has no noise."
    return [head, "", _table(history), *_alarm_lines(history), *_change_lines(history.changes)]


def percent(share: Proportion) -> str:
    """Return a share with its interval: `12 % [8, 17]`."""
    low, high = share.interval()
    return "" if share.value is None else f"{share.value:.0%} [{100 * low:.0f}, {100 * high:.0f}]".replace("%", " %")


def _table(history: GateHistory) -> AdaptiveTable:
    right = (Column(title, right=True) for title in ("Verdicts", "Held", "In doubt", "Alarms"))
    table = AdaptiveTable("Case", "Metric", "Baseline", *right, Column("Later runs", wrap=True), "Alarms from")
    for rates in history.cases:
        counts = _follow_up_counts(rates.alarms)
        size = "" if rates.smallest_alarm is None else f"{rates.smallest_alarm:.1%}"
        table.add(
            one_line(rates.case),
            rates.metric,
            rates.how,
            str(rates.held.of),
            *map(percent, (rates.held, rates.in_doubt, rates.regressed)),
            ", ".join(f"{count} {label}" for label, count in counts.items() if count),
            size,
        )
    return table


def _alarm_lines(history: GateHistory) -> list[str]:
    alarms = sorted(history.alarms, key=lambda alarm: alarm.run)
    lines = [
        f"  {alarm.run}  {one_line(alarm.metric.case)}, {alarm.metric.metric}: {alarm.metric.ratio:.3f}, "
        f"{alarm.follow_up}"
        for alarm in alarms[-MAX_ALARMS:]
    ]
    if not lines:
        return ["", "No alarm."]
    title = f"Alarms, the latest {MAX_ALARMS} of {len(alarms)}:" if len(alarms) > MAX_ALARMS else "Alarms:"
    return [
        "",
        title,
        *lines,
        "confirmed: later runs stayed at the worse level. returned: they were back where they had been: a false alarm, "
        "or a change that was not kept. open: too few later runs, or measured turn by turn.",
    ]


def _change_lines(changes: Sequence[SeenChange]) -> list[str]:
    """Return which lasting changes beyond the threshold the gate saw, by the change points of the series."""
    if not changes:
        return []
    missed = [seen for seen in changes if not seen.alarmed]
    lines = [
        f"  {seen.change.point.run}  {one_line(seen.series.case)}, {seen.series.metric}: "
        f"{seen.change.change_point.ratio - 1:+.1%} without an alarm"
        for seen in missed[-MAX_ALARMS:]
    ]
    return [
        "",
        f"Of {counted(len(changes), 'lasting change')} for the worse beyond the threshold, the gate alarmed at "
        f"{len(changes) - len(missed)}{':' if lines else '.'}",
        *lines,
    ]
