"""Forest plots of ratios: framework over framework, and run over run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, intervals, layout, listed, numbers, ratio_axis
from joulemark.reports.figures.rows import offset, row_axis, row_height
from joulemark.reports.marks import NEUTRAL
from joulemark.reports.model.answer import interval
from joulemark.reports.model.grid import Item, grid
from joulemark.reports.model.pairs import Pair, Ratio
from joulemark.reports.model.report import Report

# Metrics, not frameworks: two further colours of the palette, and shapes of their own.
_SPEED = ("speed", "#CC79A7", "diamond")
_EFFICIENCY = ("items per joule", "#009E73", "cross")
_HOW = (
    "Each row compares two on the same work. A mark to the right of 1 is in favour of the first named, to the left of "
    "the second: pink diamonds for speed (items per second), green crosses for efficiency (items per joule). The line "
    "through a mark is the 95 % interval, widened for the number of comparisons; where it crosses 1, no difference is "
    "shown, and where it lies within 5 % of 1 the two count as the same. The axis is logarithmic. "
)


def framework_ratios(report: Report) -> Figure | None:
    """Every pair of frameworks on the same work."""
    if not report.pairs:
        return None
    names = {(p.one.mark.name.partition(" ")[0], p.other.mark.name.partition(" ")[0]) for p in report.pairs}
    sides = next(iter(names)) if len(names) == 1 else ("the first named", "the second")
    title = "{} over {}".format(*sides) if len(names) == 1 else "Framework over framework"
    return forest(
        "ratios",
        title,
        report.pairs,
        lambda p: (p.one.title, f"{p.one.name} / {p.other.name}" + (f" · {p.one.detail}" if p.one.detail else "")),
        sides,
        _HOW + "Eager, graph and compiled modes are unlike; rows that mix them are each framework's default.",
    )


def arm_ratios(report: Report) -> Figure | None:
    """Arm B over arm A of A/B runs."""
    if not report.arms:
        return None
    return forest(
        "arms",
        "Arm B over arm A",
        report.arms,
        lambda p: (p.one.title, f"{p.one.name} / {p.other.name} · {p.one.detail}"),
        ("arm B", "arm A"),
        _HOW + "Both arms were measured turn by turn in one run, so that the machine's drift falls on both alike.",
    )


def forest(
    id: str,
    title: str,
    pairs: Sequence[Pair],
    names: Callable[[Pair], tuple[str, str]],
    sides: tuple[str, str],
    reading: str,
    more: Sequence[Pair] = (),
) -> Figure:
    """The forest plot of `pairs`; `names` gives a row's two lines, `sides` what lies right and left of 1.

    `more` stand in the table under it alone.
    """
    labels = [
        f"{for_plotly(first)}<br><span style='font-size:10px'>{for_plotly(second, 90)}</span>"
        for first, second in map(names, pairs)
    ]
    speeds, efficiencies = [p.throughput for p in pairs], [p.energy.inverse for p in pairs]
    values = [ratio.value for ratio in (*speeds, *efficiencies)]
    ends = [end for ratio in (*speeds, *efficiencies) for end in (ratio.low, ratio.high)]
    axis = ratio_axis("ratio (1 = equal)", values, ends)
    rows: list[list[Item]] = [
        [
            ", ".join(names(p)),
            *(p.throughput.value, p.throughput.low, p.throughput.high, _said(p.throughput, "faster", "slower")),
            *(p.energy.value, p.energy.low, p.energy.high, _said(p.energy, "more energy", "less energy")),
        ]
        for p in (*pairs, *more)
    ]
    why = dict.fromkeys(f"{names(p)[0]}: {p.energy.reason}" for p in pairs if p.energy.value is None)
    return Figure(
        id=id,
        title=title,
        finding=_finding(speeds, efficiencies, sides),
        reading=reading,
        data=[
            _series(speeds, 0, _SPEED, [False] * len(pairs)),
            _series(efficiencies, 1, _EFFICIENCY, [p.energy.estimated for p in pairs]),
        ],
        layout=layout(
            row_height(len(pairs), 48),
            xaxis=axis,
            yaxis=row_axis(labels),
            shapes=[
                {
                    "type": "line",
                    "x0": 1,
                    "x1": 1,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"color": NEUTRAL, "width": 1.5, "dash": "dot"},
                }
            ],
        ),
        table=grid(
            ("row", "speed ratio", "low", "high", "verdict", "energy per item ratio", "low", "high", "verdict"), rows
        ),
        note=listed("No ratio of energy", list(why)),
    )


def _series(
    ratios: Sequence[Ratio], place: int, style: tuple[str, str, str], estimated: Sequence[bool]
) -> dict[str, Any]:
    name, colour, shape = style
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(ratio.value for ratio in ratios),
        "y": numbers(i + offset(place, 2) for i in range(len(ratios))),
        "error_x": intervals((ratio.value, ratio.low, ratio.high) for ratio in ratios),
        "marker": {
            "symbol": [shape + ("-open" if guess else "") for guess in estimated],
            "size": 10,
            "color": colour,
            "line": {"width": 1},
        },
        "hovertext": [for_plotly(f"{name}: {interval(ratio)}", 200) for ratio in ratios],
        "hoverinfo": "text",
    }


def _said(ratio: Ratio, more: str, less: str) -> str:
    return {"more": more, "less": less}.get(ratio.verdict, ratio.verdict)


def _finding(speeds: Sequence[Ratio], efficiencies: Sequence[Ratio], sides: tuple[str, str]) -> str:
    words = []
    for name, ratios in (("Speed", speeds), ("Items per joule", efficiencies)):
        known = [ratio.verdict for ratio in ratios if ratio.value is not None]
        more, less, same = (known.count(said) for said in ("more", "less", "same"))
        if known:
            said = f"{name}: {sides[0]} ahead in {more} of {len(known)}, {sides[1]} in {less}"
            rest = len(known) - more - less - same
            words.append(said + (f", {same} the same" if same else "") + (f", {rest} not told apart." if rest else "."))
    return " ".join(words) or "Nothing can be compared."
