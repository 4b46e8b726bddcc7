"""What a gate has done over many checks -> the page of `joulemark history --gate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from joulemark import __version__
from joulemark.reports import html, plotly_library
from joulemark.reports.data_table import DataTable, data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.history_figure import TABLE_ROWS
from joulemark.reports.markers import NEUTRAL
from joulemark.reports.plotting.axes import ratio_axis
from joulemark.reports.plotting.figure import Figure, error_bars, layout, number, numbers
from joulemark.suite.results.history.gate_rates import CaseRates, GateHistory
from joulemark.suite.stats.gate import Outcome
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.proportion import Proportion
from joulemark.suite.units import counted

_OUTCOMES: Final[Mapping[Outcome, tuple[str, str]]] = {
    "fine": ("passed", "#0072B2"),
    "not conclusive": ("not conclusive", NEUTRAL),
    "regression": ("alarmed", "#D55E00"),
}
"""Name and colour of each outcome; colours of the Okabe-Ito palette, as for frameworks."""
_VERDICTS: Final = {
    "held": ("#0072B2", "circle"),
    "in doubt": (NEUTRAL, "circle-open"),
    "regressed": ("#D55E00", "diamond"),
}
_HOW_TO_READ: Final = (
    "Each point is one check: the run over its baseline, with the interval that was judged. A check alarms if its "
    "interval excludes 1 and does not exclude the threshold, the dashed line; it has held if it excludes the "
    "threshold, and is in doubt while it contains both. An alarm is confirmed if later runs stayed at the worse "
    "level, and returned if they were back where they had been: a false alarm, or a change that was not kept."
)


def write(history: GateHistory, path: Path, plotlyjs: str = plotly_library.EMBED) -> Path:
    """Write the page of `history` to `path` atomically, and return `path`. UsageError if it cannot be written."""
    return html.write_page(path, render(history, plotlyjs), plotlyjs)


def render(history: GateHistory, plotlyjs: str = plotly_library.EMBED) -> str:
    """Return the page of `history` as one HTML document. Raises UsageError if `plotlyjs` is none of its four kinds."""
    cases: dict[str, list[Figure]] = {"All checks": [outcome_figure(history)]}
    for i, rates in enumerate(history.cases):
        cases.setdefault(f"{rates.case}, {rates.how}", []).append(verdict_figure(rates, f"gate-{i}"))
    return html.render_figures(
        "history.html",
        [figure for figures in cases.values() for figure in figures],
        ("format.js", "charts.js", "history.js"),
        plotlyjs,
        cases=list(cases.items()),
        how_to_read=_HOW_TO_READ,
        empty=[],
        table_rows=TABLE_ROWS,
        version=__version__,
    )


def outcome_figure(history: GateHistory) -> Figure:
    """Return the number of checks with each outcome by month, stacked."""
    checks = {(check.run, check.baseline, check.how): check for rates in history.cases for check, _ in rates.verdicts}
    counts = Counter((check.started_at[:7], check.outcome) for check in checks.values())
    months = sorted({month for month, _ in counts})
    shares: dict[Outcome, Proportion] = {
        "fine": history.fine,
        "not conclusive": history.not_conclusive,
        "regression": history.regression,
    }
    return Figure(
        id="outcomes",
        title="All checks, outcomes by month",
        summary=f"{counted(history.checks, 'check')}: "
        + ", ".join(f"{_share(share)} {_OUTCOMES[outcome][0]}" for outcome, share in shares.items())
        + ".",
        how_to_read=_HOW_TO_READ,
        data=[
            {
                "type": "bar",
                "name": name,
                "x": months,
                "y": [counts[month, outcome] for month in months],
                "marker": {"color": colour},
                "hovertemplate": f"%{{x}}: %{{y}} {name}<extra></extra>",
            }
            for outcome, (name, colour) in _OUTCOMES.items()
        ],
        layout=layout(
            260,
            barmode="stack",
            bargap=0.5,
            xaxis={"type": "category"},
            yaxis={"title": {"text": "checks"}, "automargin": True, "rangemode": "tozero"},
        ),
        table=data_table(
            ("month", *(name for name, _ in _OUTCOMES.values())),
            [[month, *(counts[month, outcome] for outcome in _OUTCOMES)] for month in months],
        ),
    )


def _share(share: Proportion) -> str:
    low, high = share.interval()
    return "none" if share.value is None else f"{100 * share.value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def verdict_figure(rates: CaseRates, id: str) -> Figure:
    """Return the ratio of each check of one metric of one case over time, by its verdict."""
    threshold = rates.verdicts[-1][1].threshold
    limit = 1 / (1 + threshold) if METRICS[rates.metric].better == "higher" else 1 + threshold
    judged = [metric for _, metric in rates.verdicts]
    follow_ups = {(alarm.run, alarm.metric): alarm.follow_up for alarm in rates.alarms}
    line = {"color": NEUTRAL, "width": 1.5, "dash": "dash"}
    limits = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": limit, "y1": limit, "line": line}
    axis = ratio_axis(
        "run / baseline", [limit, *(m.ratio for m in judged)], [e for m in judged for e in (m.low, m.high)]
    )
    return Figure(
        id=id,
        title=f"{rates.case}, {rates.metric}",
        summary=_summary(rates),
        how_to_read=_HOW_TO_READ,
        data=[_verdict_trace(rates, verdict, follow_ups) for verdict in _VERDICTS],
        layout=layout(280, xaxis={"type": "date"}, yaxis=axis, shapes=[limits]),
        table=_table(rates, follow_ups),
    )


def _summary(rates: CaseRates) -> str:
    shares = (("held", rates.held), ("in doubt", rates.in_doubt), ("alarmed", rates.regressed))
    text = f"{counted(rates.held.of, 'verdict')}: " + ", ".join(f"{_share(share)} {name}" for name, share in shares)
    counts = Counter(alarm.follow_up for alarm in rates.alarms)
    if counts:
        text += f"; alarms: {', '.join(f'{count} {name}' for name, count in counts.items())}"
    if rates.smallest_alarm is not None:
        text += f"; a worsening of {100 * rates.smallest_alarm:.1f} % would have alarmed in 4 of 5"
    return f"{text}."


_FollowUps = Mapping[Any, str]


def _verdict_trace(rates: CaseRates, verdict: str, follow_ups: _FollowUps) -> dict[str, Any]:
    chosen = [(check, metric) for check, metric in rates.verdicts if metric.verdict == verdict]
    colour, shape = _VERDICTS[verdict]
    bars = error_bars((metric.ratio, metric.low, metric.high) for _, metric in chosen)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": verdict,
        "x": [check.started_at for check, _ in chosen],
        "y": numbers(metric.ratio for _, metric in chosen),
        "error_y": {**bars, "thickness": 1, "width": 0},
        "marker": {"color": colour, "size": 7, "symbol": shape},
        "hovertext": [
            for_plotly(" ".join(filter(None, (check.run, follow_ups.get((check.run, metric))))))
            for check, metric in chosen
        ],
        "hovertemplate": "%{hovertext}: %{y}<extra></extra>",
    }


def _table(rates: CaseRates, follow_ups: _FollowUps) -> DataTable:
    head = ("run", "started", "baseline", "run / baseline", "low", "high", "verdict", "later runs")
    rows = [
        [
            check.run,
            check.started_at[:16].replace("T", " "),
            check.baseline,
            number(metric.ratio),
            number(metric.low),
            number(metric.high),
            metric.verdict,
            follow_ups.get((check.run, metric), ""),
        ]
        for check, metric in rates.verdicts
    ]
    return data_table(head, rows[-TABLE_ROWS:])
