"""Efficiency of training on several ranks, against each of its baselines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from joulemark.reports.data_table import data_table
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import log_axis
from joulemark.reports.plotting.figure import Figure, error_bars, layout, listed, numbers
from joulemark.suite.records import Efficiency, Quantity

_HOW_TO_READ: Final = (
    "Throughput of N ranks over N times that of each baseline; 1 is as good as N devices apart. Against ranks apart, "
    "which train at the same time without communication, only communication and the strategy's own work are left. "
    "Bars: 95 % interval between rounds. The table has the communication that computation does not hide, and joules."
)
_BASELINES: Final = (
    ("against the case that is not distributed", "#56B4E9", "circle"),
    ("against one rank of the strategy", "#E69F00", "square"),
    ("against ranks apart", "#CC79A7", "diamond"),
)
"""Colours by Okabe and Ito 2008."""
_APART: Final = 1.03
"""How far the marks of two baselines are apart, as a factor of the number of ranks."""
_COLUMNS: Final = (
    "ranks", "efficiency", "low", "high", "against one rank", "against ranks apart", "exposed communication (s)",
    "share of the step", "J/item over not distributed", "J/item of the whole node", "GPUs (W)",
)  # fmt: skip


def figures(report: Report) -> list[Figure]:
    """Return one figure for each task, framework and strategy with an efficiency."""
    charts: dict[Group, list[CaseView]] = defaultdict(list)
    for view in report.shown:
        case = view.case
        if case.efficiency is not None:
            chart = (view.run, *view.task, case.framework, case.mode, case.device, case.precision, str(case.batch_size))
            charts[*chart, f"{case.threads}", case.strategy or "", case.scaling or ""].append(view)
    return [_figure(f"ranks-{i}", views) for i, views in enumerate(charts.values())]


def _figure(id: str, views: Sequence[CaseView]) -> Figure:
    views = sorted(views, key=lambda view: view.case.ranks or 0)
    first = views[0].case
    parts = (views[0].title, views[0].name, first.strategy, f"{first.scaling} scaling", first.device, first.precision)
    title = ", ".join(part for part in (*parts, f"batch {first.batch_size}") if part)
    efficiencies = [view.case.efficiency for view in views if view.case.efficiency is not None]
    numbers_of_ranks = [view.case.ranks or 0 for view in views]
    curves: list[tuple[Sequence[Efficiency | Quantity], tuple[str, str, str]]] = [
        (efficiencies, _BASELINES[0]),
        ([each.of_one_rank for each in efficiencies], _BASELINES[1]),
        ([each.of_ranks_apart for each in efficiencies], _BASELINES[2]),
    ]
    ticks = sorted(set(numbers_of_ranks))
    missing = [
        f"{count} ranks: {each.reason}" for count, each in zip(ticks, efficiencies, strict=False) if not each.value
    ]
    return Figure(
        id=id,
        title=title,
        summary=f"{title}: {_summary(numbers_of_ranks, efficiencies)}.",
        how_to_read=_HOW_TO_READ,
        data=[_curve(numbers_of_ranks, _APART ** (i - 1), curve, *style) for i, (curve, style) in enumerate(curves)],
        layout=layout(
            360,
            # Logarithmic: the numbers are about powers of two.
            xaxis={
                **log_axis("ranks", [float(count) for count in ticks]),
                "tickvals": ticks,
                "ticktext": [str(count) for count in ticks],
            },
            yaxis={"title": {"text": "efficiency"}, "tickformat": ".0%", "rangemode": "tozero", "automargin": True},
        ),
        table=data_table(_COLUMNS, [_row(view) for view in views]),
        footnote=listed("Not measured", missing),
    )


def _summary(ranks: Sequence[int], efficiencies: Sequence[Efficiency]) -> str:
    """Return the efficiency of the most ranks that have one, with its interval."""
    known = [(count, each) for count, each in zip(ranks, efficiencies, strict=True) if each.value is not None]
    if not known:
        return "efficiency was not measured"
    count, last = known[-1]
    interval = "" if last.low is None or last.high is None else f" [{last.low:.0%}, {last.high:.0%}]"
    return f"{last.value:.0%}{interval} efficiency on {count} ranks"


def _curve(
    ranks: Sequence[int], factor: float, values: Sequence[Efficiency | Quantity], name: str, colour: str, symbol: str
) -> dict[str, Any]:
    """Return the marks of one baseline, `factor` beside their numbers of ranks: intervals would hide one another."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [count * factor for count in ranks],
        "customdata": list(ranks),
        "y": numbers(each.value for each in values),
        "error_y": error_bars((each.value, each.low, each.high) for each in values),
        "line": {"color": colour, "width": 2},
        "marker": {"symbol": symbol, "size": 9},
        "hovertemplate": "%{customdata} ranks: %{y:.1%}",
    }


def _row(view: CaseView) -> list[Any]:
    """Return the numbers of a case for the table."""
    efficiency, distributed = view.case.efficiency, view.case.distributed
    assert efficiency is not None
    boards = distributed.boards if distributed is not None else ()
    return [
        view.case.ranks,
        efficiency.value,
        efficiency.low,
        efficiency.high,
        efficiency.of_one_rank.value,
        efficiency.of_ranks_apart.value,
        efficiency.exposed_communication_s.value,
        efficiency.exposed_share.value,
        efficiency.energy_ratio.value,
        distributed.node_energy_per_item_j.value if distributed is not None else None,
        ", ".join(f"{board.device} {board.power_w.value:.0f}" for board in boards if board.power_w.value is not None),
    ]
