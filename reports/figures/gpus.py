"""All GPUs with the same case: rate and watts of each, alone and at once, with its verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import NEUTRAL
from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.figure import Figure, error_bars, layout, listed, numbers
from joulemark.suite.records import AcrossGpus, GpuWay, OneGpu, Quantity
from joulemark.suite.results.gpus.sentences import gpu_sentences, verdict_text

HOW_TO_READ: Final = (
    "Each row is one GPU. Left: items per second, right: watts of that GPU, without the host's. Filled marks: it works "
    "alone; open marks: all work at once, each in a process of its own. Lines are 95 % intervals between trials. The "
    "axes do not begin at 0. From four GPUs on, one that is below what the spread of the others allows is called slow; "
    "of fewer, those that differ by more than their trials do are said to differ, since nobody can say which is wrong."
)
TALL_ROWS: Final = 64
"""Up to so many GPUs, each row has a label."""


def figures(report: Report) -> list[Figure]:
    """Return a figure for each case that a run has on all its GPUs."""
    return [
        _figure(f"gpus-{number}", view, across)
        for number, view in enumerate(report.shown)
        if (across := view.case.across_gpus) is not None
    ]


def _figure(id: str, view: CaseView, across: AcrossGpus) -> Figure:
    gpus = across.gpus
    many = len(gpus) > TALL_ROWS
    labels = [_label(gpu) for gpu in gpus]
    rows = {"range": [len(gpus) - 0.4, -0.6], "tickvals": list(range(len(gpus))), "ticktext": labels, "zeroline": False}
    if many:
        named = [i for i, gpu in enumerate(gpus) if gpu.verdict in ("slow", "differs")]
        rows |= {"tickvals": named, "ticktext": [labels[i] for i in named]}
    lacking = [gpu.device for gpu in gpus if gpu.alone.power_w.value is None and gpu.together.power_w.value is None]
    return Figure(
        id=id,
        title=", ".join(filter(None, (view.title, view.name, view.case.precision, f"{len(gpus)} GPUs"))),
        summary=" ".join(gpu_sentences(across)),
        how_to_read=HOW_TO_READ,
        data=[
            *_marks(gpus, view, "", lambda way: way.throughput),
            *_marks(gpus, view, "2", lambda way: way.power_w),
        ],
        layout=layout(
            110 + len(gpus) * (8 if many else 26),
            xaxis={"title": {"text": f"{view.case.item}s per second"}, "domain": [0, 0.57], "automargin": True},
            xaxis2={"title": {"text": "watts"}, "domain": [0.64, 1], "anchor": "y2", "automargin": True},
            yaxis={**rows, "automargin": True},
            yaxis2={**rows, "anchor": "x2", "showticklabels": False},
            legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        ),
        table=data_table(
            ("GPU", "verdict", *(f"{name}, {what}" for what in ("alone", "at once") for name in _COLUMNS), "ratio"),
            [
                [
                    gpu.device,
                    verdict_text(gpu),
                    *(value for way in (gpu.alone, gpu.together) for value in _cells(way)),
                    gpu.together_over_alone.value,
                ]
                for gpu in gpus
            ],
        ),
        footnote=listed("No readable sensor", lacking),
    )


_COLUMNS: Final = ("items/s", "low", "high", "off the median", "W", "J/item")


def _cells(way: GpuWay) -> tuple[float | None, ...]:
    rate = way.throughput
    return rate.value, rate.low, rate.high, way.deviation, way.power_w.value, way.energy_per_item_j.value


def _label(gpu: OneGpu) -> str:
    name = for_plotly(gpu.device)
    return name if gpu.verdict in ("as the others", "not judged") else f"<b>{name}: {for_plotly(gpu.verdict)}</b>"


def _marks(
    gpus: Sequence[OneGpu], view: CaseView, axis: str, quantity: Callable[[GpuWay], Quantity]
) -> list[dict[str, Any]]:
    """Return the marks of one half: of GPUs alone, and of all at once."""
    drawn = []
    for name, offset, symbol in (("alone", -0.12, "circle"), ("all at once", 0.12, "circle-open")):
        values = [quantity(gpu.alone if name == "alone" else gpu.together) for gpu in gpus]
        drawn.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": numbers(value.value for value in values),
                "y": [row + offset for row in range(len(gpus))],
                "error_x": {**error_bars((value.value, value.low, value.high) for value in values), "color": NEUTRAL},
                "marker": {"symbol": symbol, "size": 9, "color": view.marker.colour, "line": {"width": 2}},
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
                "legendgroup": name,
                "showlegend": not axis,
                "text": [f"{for_plotly(gpu.device)}, {name}: {for_plotly(verdict_text(gpu))}" for gpu in gpus],
                "hovertemplate": "%{text}<br>%{x:.4s}<extra></extra>",
            }
        )
    return drawn
