"""Responses of language models: tokens per second, joules per token and times of tokens, against batch size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from joulemark.reports.data_table import DataTable, TableValue, data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import log_axis
from joulemark.reports.plotting.figure import Figure, error_bars, layout, listed, numbers
from joulemark.suite.results.responses.texts import CLOSURE_TITLE, closure_text
from joulemark.suite.results.table import AT_LEAST, Cell


@dataclass(frozen=True)
class _Panel:
    """One half of a figure."""

    axis: str
    """What it shows, with the unit in words."""
    key: str
    """Column of the results table."""
    title: str = ""
    """What the axis is called where its ticks have the unit; empty: `axis`."""
    unit: str = ""
    """Symbol that follows each tick."""
    upper: str = ""
    """Column that bars reach up to; empty: bars are the interval between trials."""

    @property
    def energy(self) -> bool:
        """Whether it may be estimated."""
        return self.unit == "J"


@dataclass(frozen=True)
class _Kind:
    """One figure of a group of cases."""

    id: str
    title: str
    how_to_read: str
    panels: tuple[_Panel, _Panel]
    closure: bool = False
    """Whether its table has what a response takes beyond its parts."""


_ROWS: Final = "All axes are logarithmic; bars are intervals between trials. "
_JOULES: Final = "Marks of joules are filled where measured, open where estimated from load and nominal power. "
KINDS: Final = (
    _Kind(
        "output",
        "Whole responses",
        "Left: new tokens per second, over whole responses, prefill and decoding. Right: joules per new token, of the "
        f"same windows: what leaderboards print. Both against batch size. {_ROWS}{_JOULES}Where the left curve "
        "flattens, the device is fully used.",
        (
            _Panel("new tokens per second", "throughput"),
            _Panel("joules per new token", "energy_per_item_j", "energy per new token", "J"),
        ),
    ),
    _Kind(
        "parts",
        "Prefill and decoding alone",
        "Left: joules per prompt token, of prefill alone. Right: joules per decoded token, of decoding alone. "
        f"Each was repeated in windows of its own. {_ROWS}{_JOULES}A prompt token costs little, since all of them are "
        "read at once; decoding reads all weights for one token of each sequence. The table has what both leave over "
        "of a whole response.",
        (
            _Panel("joules per prompt token", "energy_per_prompt_token_j", "energy per prompt token", "J"),
            _Panel("joules per decoded token", "energy_per_decoded_token_j", "energy per decoded token", "J"),
        ),
        closure=True,
    ),
    _Kind(
        "times",
        "Time to first token, and per output token",
        "Marks are medians, bars reach up to the 99th percentile: left of responses, from the call that reads the "
        "prompts to their first new tokens on the host; right of decoded tokens, from one to the next. All axes are "
        "logarithmic.",
        (
            _Panel("seconds to first token", "ttft_p50_s", "time to first token", "s", upper="ttft_p99_s"),
            _Panel("seconds per output token", "tpot_p50_s", "time per output token", "s", upper="tpot_p99_s"),
        ),
    ),
)


def figures(report: Report) -> list[Figure]:
    """Return the figures of each group of responses that differ in framework, mode and batch size alone."""
    groups: dict[Group, dict[Group, list[CaseView]]] = defaultdict(lambda: defaultdict(list))
    for view in report.shown:
        if view.case.response is not None:
            group = (view.run, *view.task, view.case.device, view.case.precision, view.row.settings)
            groups[group][view.case.framework, view.case.mode].append(view)
    drawn: list[Figure] = []
    for number, lines in enumerate(groups.values()):
        curves = [sorted(views, key=lambda view: view.case.batch_size) for views in lines.values()]
        drawn += [_figure(f"responses-{number}-{kind.id}", kind, curves) for kind in KINDS if _has_values(kind, curves)]
    return drawn


def _has_values(kind: _Kind, curves: Sequence[Sequence[CaseView]]) -> bool:
    return any(_cell(view, panel.key).value is not None for panel in kind.panels for line in curves for view in line)


def _cell(view: CaseView, key: str) -> Cell:
    return view.row.cells[key]


def _figure(id: str, kind: _Kind, curves: Sequence[Sequence[CaseView]]) -> Figure:
    views = [view for curve in curves for view in curve]
    sizes = sorted({view.case.batch_size for view in views})
    x_axis = {
        **log_axis("batch size", [float(size) for size in sizes]),
        "tickvals": sizes,
        "ticktext": [str(size) for size in sizes],
        "zeroline": False,
    }
    left, right = kind.panels
    response = views[0].case.response
    assert response is not None
    tokens = f"{response.prompt_tokens} prompt and {response.new_tokens} new tokens"
    title = ", ".join(label for label in (views[0].title, views[0].case.device, views[0].case.precision) if label)
    return Figure(
        id=id,
        title=f"{kind.title}: {title}",
        summary=_summary(kind, views, tokens),
        how_to_read=kind.how_to_read,
        data=[_curve(curve, panel, n) for n, panel in enumerate(kind.panels) for curve in curves],
        layout=layout(
            360,
            xaxis={**x_axis, "domain": [0, 0.39]},
            xaxis2={**x_axis, "domain": [0.61, 1], "anchor": "y2"},
            yaxis=_value_axis(left, views),
            yaxis2={**_value_axis(right, views), "anchor": "x2"},
        ),
        table=_table(kind, views),
        footnote=_footnote(kind, views),
    )


def _table(kind: _Kind, views: Sequence[CaseView]) -> DataTable:
    titles = ["case", "batch size", *(title for panel in kind.panels for title in _column_titles(panel))]
    rows: list[list[TableValue]] = [
        [view.name, view.case.batch_size, *(value for panel in kind.panels for value in _row_values(view, panel))]
        for view in views
    ]
    if kind.closure:
        titles.append(CLOSURE_TITLE.lower())
        for row, view in zip(rows, views, strict=True):
            row.append(None if view.case.response is None else closure_text(view.case.response))
    return data_table(titles, rows)


def _summary(kind: _Kind, views: Sequence[CaseView], tokens: str) -> str:
    """Return one sentence: the best case by the right panel, or by the left one where the right has no values."""
    for panel in reversed(kind.panels):
        known = [view for view in views if _cell(view, panel.key).value is not None]
        if known:
            best = min(known, key=lambda view: _cell(view, panel.key).value or 0.0)
            shown = f"estimated {panel.axis}" if best.estimated and panel.energy else panel.axis
            return f"{tokens}: lowest {shown} at batch {best.case.batch_size} with {best.name}."
    return f"{tokens}."


def _value_axis(panel: _Panel, views: Sequence[CaseView]) -> dict[str, Any]:
    values = [_cell(view, panel.key).value for view in views]
    ends = [end for view in views for end in _ends(view, panel)]
    axis = log_axis(panel.title or panel.axis, values, ends)
    if "ticktext" in axis:
        axis["ticktext"] = [f"{text}{panel.unit}" for text in axis["ticktext"]]
    return axis


def _ends(view: CaseView, panel: _Panel) -> tuple[float | None, float | None]:
    """Return the ends of the bar of a case."""
    cell = _cell(view, panel.key)
    return (cell.value, _cell(view, panel.upper).value) if panel.upper else (cell.low, cell.high)


def _column_titles(panel: _Panel) -> tuple[str, ...]:
    return (panel.axis, f"{panel.axis}, p99") if panel.upper else (panel.axis, "low", "high")


def _row_values(view: CaseView, panel: _Panel) -> tuple[float | None, ...]:
    low, high = _ends(view, panel)
    return (low, high) if panel.upper else (_cell(view, panel.key).value, low, high)


def _footnote(kind: _Kind, views: Sequence[CaseView]) -> str:
    cells = [(view, _cell(view, panel.key)) for panel in kind.panels for view in views]
    missing = [
        f"{view.name}, batch {view.case.batch_size}: {cell.reason}" for view, cell in cells if cell.value is None
    ]
    bound = any(AT_LEAST in cell.mark for _, cell in cells)
    notes = (
        listed("Not measured", list(dict.fromkeys(missing))),
        "Joules are lower bounds where a component was not measured." if bound else "",
    )
    return " ".join(filter(None, notes))


def _curve(curve: Sequence[CaseView], panel: _Panel, number: int) -> dict[str, Any]:
    marker = curve[0].marker
    values = [_cell(view, panel.key).value for view in curve]
    bars = ((value, *_ends(view, panel)) for value, view in zip(values, curve, strict=True))
    axis = "" if number == 0 else "2"
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": for_plotly(marker.name),
        "x": [view.case.batch_size for view in curve],
        "y": numbers(values),
        "error_y": {"type": "data", **error_bars(bars)},
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "line": {"color": marker.colour, "dash": marker.dash, "width": 2},
        "marker": {
            "symbol": [marker.shape + ("-open" if view.estimated and panel.energy else "") for view in curve],
            "size": 9,
        },
        "legendgroup": for_plotly(marker.name),
        "showlegend": number == 0,
        "hovertemplate": f"batch %{{x}}: %{{y:.4s}}{panel.unit}",
    }
