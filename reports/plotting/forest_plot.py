"""Forest plots: ratios of pairs of cases with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from joulemark.reports.data_table import TableValue, data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import NEUTRAL
from joulemark.reports.model.pairs import Pair
from joulemark.reports.model.ratios import Ratio, ratio_text
from joulemark.reports.plotting.axes import ratio_axis, vertical_line
from joulemark.reports.plotting.case_rows import offset, row_axis, row_height, two_line_label
from joulemark.reports.plotting.figure import Figure, error_bars, layout, listed, numbers

# Metrics, not frameworks: a colour of the palette that no framework has, grey, and shapes of their own.
SPEED = ("speed", "#CC79A7", "diamond")
EFFICIENCY = ("items per joule", NEUTRAL, "hexagon")
HOW_TO_READ = (
    "Each row compares two cases of the same task. A mark to the right of 1 favours the one named first, to the left "
    "the second: pink diamonds for speed (items per second), grey hexagons for efficiency (items per joule). The line "
    "through a mark is the 95 % confidence interval, adjusted for the number of comparisons. Where it crosses 1, no "
    "difference is shown; where it lies within 5 % of 1, the two count as equal. The axis is logarithmic. "
)
_HEAD = ("case", "speed ratio", "low", "high", "verdict", "energy per item ratio", "low", "high", "verdict")


def forest_plot(
    id: str,
    title: str,
    pairs: Sequence[Pair],
    row_names: Callable[[Pair], tuple[str, str]],
    sides: tuple[str, str],
    how_to_read: str,
    only_in_table: Sequence[Pair] = (),
) -> Figure:
    """Return the forest plot of `pairs`.

    Args:
        id: Id of the figure.
        title: Title of the figure.
        pairs: The rows.
        row_names: Return the two lines of a row's label.
        sides: What is ahead to the right and to the left of 1.
        how_to_read: Text that explains the figure.
        only_in_table: More pairs for the data table alone.
    """
    speeds, efficiencies = [pair.throughput for pair in pairs], [pair.energy.inverse for pair in pairs]
    values = [ratio.value for ratio in (*speeds, *efficiencies)]
    ends = [end for ratio in (*speeds, *efficiencies) for end in (ratio.low, ratio.high)]
    reasons = dict.fromkeys(f"{row_names(p)[0]}: {p.energy.reason}" for p in pairs if p.energy.value is None)
    return Figure(
        id=id,
        title=title,
        summary=_summary(speeds, efficiencies, sides),
        how_to_read=how_to_read,
        data=[
            _series(speeds, 0, SPEED, [False] * len(pairs)),
            _series(efficiencies, 1, EFFICIENCY, [pair.energy.estimated for pair in pairs]),
        ],
        layout=layout(
            row_height(len(pairs), 48),
            xaxis=ratio_axis("ratio (1 = equal)", values, ends),
            yaxis=row_axis([two_line_label(*row_names(pair)) for pair in pairs]),
            shapes=[vertical_line(1)],
        ),
        table=data_table(_HEAD, [_table_row(pair, row_names(pair)) for pair in (*pairs, *only_in_table)]),
        footnote=listed("No energy ratio", list(reasons)),
    )


def _table_row(pair: Pair, names: tuple[str, str]) -> list[TableValue]:
    speed, energy = pair.throughput, pair.energy
    return [
        ", ".join(names),
        *(speed.value, speed.low, speed.high, _verdict(speed, "faster", "slower")),
        *(energy.value, energy.low, energy.high, _verdict(energy, "more energy", "less energy")),
    ]


def _series(
    ratios: Sequence[Ratio], position: int, style: tuple[str, str, str], estimated: Sequence[bool]
) -> dict[str, Any]:
    name, colour, shape = style
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(ratio.value for ratio in ratios),
        "y": numbers(i + offset(position, 2) for i in range(len(ratios))),
        "error_x": error_bars((ratio.value, ratio.low, ratio.high) for ratio in ratios),
        "marker": {
            "symbol": [shape + ("-open" if is_estimate else "") for is_estimate in estimated],
            "size": 10,
            "color": colour,
            "line": {"width": 1},
        },
        "hovertext": [for_plotly(f"{name}: {ratio_text(ratio)}", 200) for ratio in ratios],
        "hoverinfo": "text",
    }


def _verdict(ratio: Ratio, more: str, less: str) -> str:
    return {"more": more, "less": less}.get(ratio.verdict, ratio.verdict)


def _summary(speeds: Sequence[Ratio], efficiencies: Sequence[Ratio], sides: tuple[str, str]) -> str:
    sentences = []
    for name, ratios in (("Speed", speeds), ("Items per joule", efficiencies)):
        verdicts = [ratio.verdict for ratio in ratios if ratio.value is not None]
        more, less, same = (verdicts.count(verdict) for verdict in ("more", "less", "same"))
        if verdicts:
            sentence = f"{name}: {sides[0]} is ahead in {more} of {len(verdicts)}, {sides[1]} in {less}"
            sentence += f", {same} equal" if same else ""
            inconclusive = len(verdicts) - more - less - same
            sentences.append(sentence + (f", {inconclusive} inconclusive." if inconclusive else "."))
    return " ".join(sentences) or "Nothing can be compared."
