"""Share of attainable speed that each case reached, and the rooflines themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import NEUTRAL, Marker, marker
from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import log_axis, vertical_line
from joulemark.reports.plotting.case_rows import case_label, row_axis, row_height
from joulemark.reports.plotting.figure import Figure, case_hover, error_bars, layout, listed, numbers
from joulemark.suite import units
from joulemark.suite.results.roofline import Share, limits, share

_SHARE_TEXT = (
    "Each bar is the share of the attainable speed that a case reached; its colour is the framework, its line the 95 % "
    "confidence interval over trials. Attainable is the lower of two limits that short probes found on this machine: "
    "floating-point operations per second, and memory bandwidth times the case's operations per byte (Williams, "
    "Waterman and Patterson 2009). Memory traffic is the least that the work can do with, so a small share does not "
    "prove waste; above 100 % means fewer operations than the formula counts (Winograd), or data that stay in the "
    "caches. Memory or arithmetic is named as the limit only where both the least traffic and that of operators that "
    "are not fused say so."
)
_ROOF_TEXT = (
    "The line is the roof: on its slope memory is the limit, on its flat part arithmetic; they meet at the ridge, the "
    "dotted line. A mark stands at the most operations per byte that a case can have, those of its least memory "
    "traffic. Its bar reaches down to those of operators that are not fused: each reads its inputs and writes its "
    "outputs, in training activations, gradients and the optimizer's state too. No counter read what was really moved: "
    "a bar on both sides of the ridge leaves open what limits the case. The distance of a mark below the roof is "
    "unused performance. Both axes are logarithmic."
)
_INTENSITY = ("FLOPs per unfused byte", "FLOPs per compulsory byte")


class _CaseUnderRoof(NamedTuple):
    view: CaseView
    share: Share


def figures(report: Report) -> list[Figure]:
    """Return the shares of all cases, then one roofline for each device, precision and number of threads."""
    cases: list[_CaseUnderRoof] = []
    for view in report.shown:
        of_case = share(view.case, report.file(view).probes)
        if of_case is not None:
            cases.append(_CaseUnderRoof(view, of_case))
    if not cases:
        return []
    by_roof: dict[tuple[str, str, str, int], list[_CaseUnderRoof]] = defaultdict(list)
    for entry in cases:
        case = entry.view.case
        by_roof[entry.view.run, case.device, case.precision, case.threads].append(entry)
    keys = {entry.view.key for entry in cases}
    without = [view.full_name for view in report.shown if view.key not in keys]
    several_runs = len(report.runs) > 1
    rooflines = [_roofline(f"roof-{i}", key, of_key, several_runs) for i, (key, of_key) in enumerate(by_roof.items())]
    return [_shares(cases, without), *rooflines]


def _shares(cases: Sequence[_CaseUnderRoof], without: Sequence[str]) -> Figure:
    best = max(cases, key=lambda entry: entry.share.share)
    by_framework: dict[str, list[tuple[int, _CaseUnderRoof]]] = defaultdict(list)
    for row, entry in enumerate(cases):
        by_framework[entry.view.case.framework].append((row, entry))
    ends = [end for _, of_case in cases for end in (of_case.share, of_case.high) if end is not None]
    return Figure(
        id="roofline",
        title="Share of attainable speed",
        summary=f"Closest to its roof: {best.view.full_name}, {units.percent(best.share.share)}.",
        how_to_read=_SHARE_TEXT,
        data=[_bars(framework, of_framework) for framework, of_framework in by_framework.items()],
        layout=layout(
            row_height(len(cases), 36),
            barmode="overlay",
            xaxis={
                "title": {"text": "share of attainable speed"},
                "tickformat": ".0%",
                "range": numbers([0, 1.02 * max(1.0, *ends)]),
            },
            yaxis=row_axis([case_label(entry.view) for entry in cases]),
            shapes=[vertical_line(1)],
        ),
        table=data_table(
            ("case", "share", "low", "high", "reached, FLOP/s", "attainable, FLOP/s", *_INTENSITY, "limit"),
            [(entry.view.full_name, *_share_values(entry.share), entry.share.limit) for entry in cases],
        ),
        footnote=listed("No formula or no probe", without),
    )


def _share_values(of_case: Share) -> tuple[float | None, ...]:
    speeds = of_case.achieved_flops_per_s, of_case.attainable_flops_per_s
    return of_case.share, of_case.low, of_case.high, *speeds, *_intensity(of_case)


def _intensity(of_case: Share) -> tuple[float | None, float]:
    return of_case.least_flops_per_byte, of_case.most_flops_per_byte


def _bars(framework: str, cases: Sequence[tuple[int, _CaseUnderRoof]]) -> dict[str, Any]:
    """Return one trace for a framework: bars have no shape to tell its modes apart, but the rows name them."""
    shares = [entry.share for _, entry in cases]
    of_framework = marker(framework, "")
    trace = {
        "type": "bar",
        "orientation": "h",
        "name": for_plotly(of_framework.name.strip()),
        "x": numbers(of_case.share for of_case in shares),
        "y": [row for row, _ in cases],
        "width": 0.6,
        "error_x": {
            **error_bars((of_case.share, of_case.low, of_case.high) for of_case in shares),
            "color": NEUTRAL,
            "width": 4,
        },
        "marker": {"color": of_framework.colour},
    }
    return trace | case_hover([entry.view.key for _, entry in cases], "%{x:.1%}")


def _roofline(id: str, key: tuple[str, str, str, int], cases: Sequence[_CaseUnderRoof], several_runs: bool) -> Figure:
    run, device, precision, threads = key
    limit = cases[0].share.roof
    ridge = limit.ridge_flops_per_byte
    intensities = [intensity for entry in cases for intensity in _intensity(entry.share)]
    x_axis = log_axis("floating-point operations per byte", [*intensities, ridge])
    ends = [10.0**end for end in x_axis["range"]]
    line = sorted({*ends, min(max(ridge, ends[0]), ends[1])})
    heights = [limit.attainable_flops_per_s(intensity) for intensity in line]
    speeds = [entry.share.achieved_flops_per_s for entry in cases]
    without = [entry.view.full_name for entry in cases if entry.share.least_flops_per_byte is None]
    by_marker: dict[Marker, list[_CaseUnderRoof]] = defaultdict(list)
    for entry in cases:
        by_marker[entry.view.marker].append(entry)
    return Figure(
        id=id,
        title=f"Roofline of {device}, {precision}, {threads} threads" + (f", run {run}" if several_runs else ""),
        summary=f"Probes reached {units.quantity(limit.flops_per_s, 'FLOP/s')} and "
        f"{units.quantity(limit.bytes_per_s, 'B/s')}; {limits(entry.share for entry in cases)}.",
        how_to_read=_ROOF_TEXT,
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
            *[_points(of_marker, entries) for of_marker, entries in by_marker.items()],
        ],
        layout=layout(
            380,
            xaxis=x_axis,
            yaxis=log_axis("floating-point operations per second", [*heights, *speeds]),
            shapes=[vertical_line(ridge)],
        ),
        table=data_table(
            ("case", *_INTENSITY, "reached, FLOP/s", "limit"),
            [(e.view.full_name, *_intensity(e.share), e.share.achieved_flops_per_s, e.share.limit) for e in cases],
        ),
        footnote=listed("Traffic without fusion is not known", without),
    )


def _points(of_marker: Marker, cases: Sequence[_CaseUnderRoof]) -> dict[str, Any]:
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(of_marker.name),
        "x": numbers(entry.share.most_flops_per_byte for entry in cases),
        "y": numbers(entry.share.achieved_flops_per_s for entry in cases),
        "error_x": {
            **error_bars((most, least, most) for least, most in (_intensity(entry.share) for entry in cases)),
            "width": 4,
        },
        "marker": {"symbol": of_marker.shape, "size": 11, "color": of_marker.colour},
    }
    return trace | case_hover([entry.view.key for entry in cases], "%{y:.3s}FLOP/s")
