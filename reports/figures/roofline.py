"""The share of what the machine can do that each case reached, and the roof itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, intervals, layout, listed, log_axis, named, numbers
from joulemark.reports.figures.rows import case_label, row_axis, row_height
from joulemark.reports.marks import NEUTRAL, Mark, mark
from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.grid import grid
from joulemark.reports.model.report import Report
from joulemark.suite import units
from joulemark.suite.results.roofline import Roof, Share, roof, share

_SHARE = (
    "Each bar is the part of the attainable speed that a case reached, its colour the framework, its line the 95 % "
    "interval between trials. "
    "Attainable is the lower of two limits that short probes found on this machine: floating-point operations a "
    "second, and memory traffic times the case's operations a byte (Williams, Waterman and Patterson 2009). Traffic is "
    "the least that the work can do with, so that a small share is no proof of waste; above 100 % means fewer "
    "operations than the formula counts (Winograd), or data that stay in the caches."
)
_ROOF = (
    "The line is the roof: on its slope memory is the limit, on its flat part arithmetic. A mark's height below the "
    "roof is what is left. Both axes are logarithmic."
)
Found = tuple[CaseView, Share, Roof]


def roofline_figures(report: Report) -> list[Figure]:
    """The shares of all cases, then one roof for each device, precision and number of threads."""
    found: list[Found] = []
    for view in report.shown:
        probes = report.file(view).probes
        reached, above = share(view.case, probes), roof(view.case, probes)
        if reached is not None and above is not None:
            found.append((view, reached, above))
    if not found:
        return []
    roofs: dict[tuple[str, str, str, int], list[Found]] = defaultdict(list)
    for entry in found:
        case = entry[0].case
        roofs[entry[0].run, case.device, case.precision, case.threads].append(entry)
    several = len(report.runs) > 1
    figures = [_roof(f"roof-{i}", place, of, several) for i, (place, of) in enumerate(roofs.items())]
    known = {view.key for view, _, _ in found}
    without = [view.full for view in report.shown if view.key not in known]
    return [_shares(found, without), *figures]


def _shares(found: Sequence[Found], without: Sequence[str]) -> Figure:
    best = max(found, key=lambda entry: entry[1].share)
    by_framework: dict[str, list[tuple[int, Found]]] = defaultdict(list)
    for place, entry in enumerate(found):
        by_framework[entry[0].case.framework].append((place, entry))
    ends = [end for _, reached, _ in found for end in (reached.share, reached.high) if end is not None]
    return Figure(
        id="roofline",
        title="Share of the attainable speed",
        finding=f"Nearest to its roof: {best[0].full}, {best[1].share:.0%}.",
        reading=_SHARE,
        data=[_bars(framework, of) for framework, of in by_framework.items()],
        layout=layout(
            row_height(len(found), 36),
            barmode="overlay",
            xaxis={
                "title": {"text": "share of attainable"},
                "tickformat": ".0%",
                "range": numbers([0, 1.02 * max(1.0, *ends)]),
            },
            yaxis=row_axis([case_label(view) for view, _, _ in found]),
            shapes=[_full()],
        ),
        table=grid(
            ("case", "share", "low", "high", "reached, FLOP/s", "attainable, FLOP/s", "FLOPs per byte", "limit"),
            [(view.full, *_numbers(reached), _limit(reached, above)) for view, reached, above in found],
        ),
        note=listed("No formula or no probe", without),
    )


def _numbers(reached: Share) -> tuple[float | None, ...]:
    speeds = reached.achieved_flops_per_s, reached.attainable_flops_per_s
    return reached.share, reached.low, reached.high, *speeds, reached.flops_per_byte


def _bars(framework: str, found: Sequence[tuple[int, Found]]) -> dict[str, Any]:
    """One trace a framework: bars have no shape that could tell its modes apart, the rows' names do."""
    shares = [reached for _, (_, reached, _) in found]
    look = mark(framework, "")
    made = {
        "type": "bar",
        "orientation": "h",
        "name": for_plotly(look.name.strip()),
        "x": numbers(reached.share for reached in shares),
        "y": [place for place, _ in found],
        "width": 0.6,
        "error_x": {
            **intervals((reached.share, reached.low, reached.high) for reached in shares),
            "color": NEUTRAL,
            "width": 4,
        },
        "marker": {"color": look.colour},
    }
    return made | named([view.key for _, (view, _, _) in found], "%{x:.1%}")


def _full() -> dict[str, Any]:
    """A line at 100 %."""
    line = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}
    return {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _limit(reached: Share, above: Roof) -> str:
    return "arithmetic" if reached.attainable_flops_per_s >= above.flops_per_s else "memory"


def _roof(id: str, place: tuple[str, str, str, int], found: Sequence[Found], several: bool) -> Figure:
    run, device, precision, threads = place
    above = found[0][2]
    ridge = above.flops_per_s / above.bytes_per_s
    across = [reached.flops_per_byte for _, reached, _ in found]
    x_axis = log_axis("floating-point operations per byte", [*across, ridge])
    ends = [10.0**end for end in x_axis["range"]]
    line = sorted({*ends, min(max(ridge, ends[0]), ends[1])})
    heights = [above.attainable_flops_per_s(intensity) for intensity in line]
    by_mark: dict[Mark, list[Found]] = defaultdict(list)
    for entry in found:
        by_mark[entry[0].mark].append(entry)
    title = f"Roof of {device}, {precision}, {threads} threads" + (f", run {run}" if several else "")
    bounded = sum(_limit(reached, above) == "memory" for _, reached, _ in found)
    return Figure(
        id=id,
        title=title,
        finding=f"{units.quantity(above.flops_per_s, 'FLOP/s')} and {units.quantity(above.bytes_per_s, 'B/s')} were "
        f"reached by probes; memory limits {bounded} of {len(found)} cases.",
        reading=_ROOF,
        data=[
            {
                "type": "scatter",
                "mode": "lines",
                "name": "attainable",
                "x": numbers(line),
                "y": numbers(heights),
                "line": {"color": NEUTRAL, "width": 2},
                "hoverinfo": "skip",
            },
            *[_points(look, of) for look, of in by_mark.items()],
        ],
        layout=layout(
            380,
            xaxis=x_axis,
            yaxis=log_axis("FLOP/s", [*heights, *(reached.achieved_flops_per_s for _, reached, _ in found)]),
        ),
        table=grid(
            ("case", "FLOPs per byte", "reached, FLOP/s"),
            [(view.full, reached.flops_per_byte, reached.achieved_flops_per_s) for view, reached, _ in found],
        ),
    )


def _points(look: Mark, found: Sequence[Found]) -> dict[str, Any]:
    made = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(look.name),
        "x": numbers(reached.flops_per_byte for _, reached, _ in found),
        "y": numbers(reached.achieved_flops_per_s for _, reached, _ in found),
        "marker": {"symbol": look.shape, "size": 11, "color": look.colour},
    }
    return made | named([view.key for view, _, _ in found], "%{y:.3s}FLOP/s")
