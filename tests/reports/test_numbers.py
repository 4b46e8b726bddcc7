"""One walk over every number: run file, table, page, figure and the table under it are the same."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from report_files import batches, full

from joulemark.reports.figures import Figure, figures, plotly_figure
from joulemark.reports.figures.base import number
from joulemark.reports.html import render
from joulemark.reports.model import Report, build
from joulemark.suite.carbon import ember
from joulemark.suite.records import Case, Intensity, RunFile
from joulemark.suite.results.summary import recompute

SUMMARISED = (
    "throughput",
    "step_time_s",
    "energy_per_item_j",
    "net_energy_per_item_j",
    "facility_energy_per_item_j",
    "emissions_g_per_1000_items",
    "power_w",
)


@pytest.fixture(scope="module")
def run() -> RunFile:
    return full()


@pytest.fixture(scope="module")
def report(run: RunFile) -> Report:
    return build([run])


@pytest.fixture(scope="module")
def drawn(report: Report) -> dict[str, Figure]:
    return {figure.id: figure for figure in figures(report)}


class Cells(HTMLParser):
    """Values of the page's cells: of the table of results by key, and of each figure's data table in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.results: dict[str, str] = {}
        self.grids: dict[str, list[float]] = {}
        self.columns: list[str] = []
        self._figure = self._case = ""
        self._columns: Iterator[str] = iter(())
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "figure":
            self._figure = str(found["id"]).removeprefix("fig-")
            self.grids[self._figure] = []
        if tag == "tr":
            self._case, self._columns = str(found.get("data-case", "")), iter(self.columns)
        if tag == "th" and "data-key" in found:
            self.columns.append(str(found["data-key"]))
        if tag == "td" and self._case and "who" not in str(found.get("class")):
            self.results[f"{self._case}|{next(self._columns)}"] = str(found["data-value"])
        elif tag == "td" and "data-value" in found and self._figure:
            self.grids[self._figure].append(float(str(found["data-value"])))

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self._figure = ""


def by_key(report: Report) -> dict[str, Case]:
    return {view.key: view.case for view in report.cases}


def test_the_page_shows_what_the_run_file_says(run: RunFile, report: Report, drawn: dict[str, Figure]) -> None:
    cells = Cells(render([run]))
    cases = by_key(report)
    assert {id(case) for case in cases.values()} == {id(case) for case in run.cases}
    for key, case in cases.items():
        for name in SUMMARISED:
            quantity = getattr(case.summary, name) if case.summary else None
            shown = cells.results[f"{key}|{name}"]
            value = quantity.value if quantity else None
            assert shown == "" if value is None else float(shown) == pytest.approx(value, rel=1e-11)
    assert set(cells.grids) == set(drawn)
    for name, figure in drawn.items():
        numbers = [x for row in figure.table.rows for x in row[1:] if isinstance(x, int | float)]
        assert cells.grids[name] == pytest.approx(numbers, rel=1e-11)


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("throughput", "throughput"),
        ("energy", "energy_per_item_j"),
        ("emissions", "emissions_g_per_1000_items"),
    ],
)
def test_dots_are_the_summaries(report: Report, drawn: dict[str, Figure], name: str, quantity: str) -> None:
    cases = by_key(report)
    seen = 0
    for trace in drawn[name].data:
        if trace["meta"].get("range"):
            continue
        assert len(trace["meta"]["cases"]) == sum(x is not None for x in trace["x"])
        for i, key in enumerate(trace["meta"]["cases"]):
            found = getattr(cases[key].summary, quantity)
            assert trace["x"][i] == number(found.value)
            assert trace["error_x"]["array"][i] == number(found.high - found.value)
            assert trace["error_x"]["arrayminus"][i] == number(found.value - found.low)
            seen += 1
    assert seen == sum(case.summary is not None for case in cases.values())
    rows = {row[0]: row for row in drawn[name].table.rows}
    for view in report.shown:
        found = view.quantity(quantity)
        assert rows[view.full][1:5] == (found.value, found.low, found.high, found.n)


def test_grey_bars_are_the_ranges(report: Report, drawn: dict[str, Figure]) -> None:
    bar = next(trace for trace in drawn["energy"].data if trace["meta"].get("range"))
    cases = by_key(report)
    for i, key in enumerate(bar["meta"]["cases"]):
        summary = cases[key].summary
        assert summary is not None
        energy = summary.energy_per_item_j
        assert energy.value is not None
        assert energy.ranges.sensor is not None
        assert bar["x"][3 * i : 3 * i + 2] == [number(energy.value * factor) for factor in energy.ranges.sensor]


@pytest.mark.parametrize(
    ("intensity", "suffix", "mark"),
    [
        (ember.WORLD, "-dot", "○"),
        (ember.intensity("CH"), "-dot", "◔"),
        (Intensity(g_per_kwh=90.0, source="a service", zone="CH", interval_start="2026-11-01T12:00:00Z"), "", "●"),
        (Intensity(g_per_kwh=90.0, source="given", zone=None), "", "◇"),
    ],
)
def test_grams_bear_the_mark_of_their_intensity(intensity: Intensity, suffix: str, mark: str) -> None:
    other = full().emissions.model_copy(update={"intensity": intensity})
    run = recompute(full(), other)
    figure = next(figure for figure in figures(build([run])) if figure.id == "emissions")
    lines = [trace for trace in figure.data if not trace["meta"].get("range")]
    assert {shape.endswith("-dot") for line in lines[:-1] for shape in line["marker"]["symbol"]} == {bool(suffix)}
    assert lines[-1]["name"].startswith(mark)
    assert render([run], "cdn").count(f">{mark}</abbr>") == len(SHOWN_GRAMS)


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance of WCAG 2.2 of red, green and blue from 0 to 1."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, opacity: float, ground: str) -> float:
    """WCAG's contrast ratio of a colour (`#rrggbb`) that lies on a ground."""
    front, back = (tuple(int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)) for c in (colour, ground))
    seen = tuple(opacity * f + (1 - opacity) * b for f, b in zip(front, back, strict=True))
    high, low = sorted((luminance(seen), luminance(back)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#111418"])
def test_every_mark_can_be_seen(drawn: dict[str, Figure], ground: str) -> None:
    """Three to one is what WCAG 1.4.11 asks of graphics."""
    assert contrast("#000000", 1.0, "#ffffff") == pytest.approx(21)
    assert contrast("#777777", 1.0, "#ffffff") == pytest.approx(4.48, abs=0.01)
    seen = 0
    for name, figure in drawn.items():
        for line in figure.data:
            if line["type"] == "scatter" and "marker" in line:
                opacity = line["marker"].get("opacity", 1.0)
                for value in opacity if isinstance(opacity, list) else [opacity]:
                    colour = line["marker"].get("color") or line["line"]["color"]
                    assert contrast(colour, value, ground) >= 3, (name, line["name"])
                    seen += 1
    assert seen > 20


SHOWN_GRAMS = [*range(6), *range(2)]
"""Six cases of the table and two of the tiles that the page opens with."""


def rates(case: Case) -> list[float]:
    return [t.items / (t.window_s[1] - t.window_s[0]) for t in case.trials if t.window_s and t.status == "ok"]


def test_ratios_are_of_trials(report: Report, drawn: dict[str, Figure]) -> None:
    speed, efficiency = drawn["ratios"].data
    assert len(report.pairs) == len(speed["x"]) == 3
    for i, pair in enumerate(report.pairs):
        expected = statistics.geometric_mean(rates(pair.one.case)) / statistics.geometric_mean(rates(pair.other.case))
        assert speed["x"][i] == pytest.approx(expected, rel=1e-5)
        one, other = (view.quantity("energy_per_item_j").value for view in (pair.one, pair.other))
        assert one is not None
        assert other is not None
        assert efficiency["x"][i] == pytest.approx(other / one, rel=1e-5)
        row = drawn["ratios"].table.rows[i]
        assert row[1] == pytest.approx(expected)
        assert row[5] == pytest.approx(one / other)


def test_points_of_the_trade_off(report: Report, drawn: dict[str, Figure]) -> None:
    points = {
        point
        for name, figure in drawn.items()
        if name.startswith("pareto")
        for trace in figure.data
        if trace["mode"] == "markers+text"
        for point in zip(trace["x"], trace["y"], strict=True)
    }
    expected = {
        (number(v.quantity("throughput").value), number(v.quantity("energy_per_item_j").value)) for v in report.shown
    }
    assert points == expected
    for name, figure in drawn.items():
        if name.startswith("pareto"):
            for _, speed, energy, power, _ in figure.table.rows:
                assert isinstance(speed, float)
                assert isinstance(energy, float)
                assert power == pytest.approx(speed * energy, rel=1e-3)
            for trace in figure.data:
                if trace.get("meta", {}).get("iso"):
                    products = [x * y for x, y in zip(trace["x"], trace["y"], strict=True) if x is not None]
                    assert products[::2] == pytest.approx(products[1::2], rel=1e-4)
                    names = next(t for t in figure.data if t["mode"] == "text")
                    watts = [x * y for x, y in zip(names["x"], names["y"], strict=True)]
                    assert watts == pytest.approx(products[::2], rel=1e-4)
                    assert [float(name.split()[0]) for name in names["text"]] == pytest.approx(watts, rel=1e-4)


def test_parts_add_up_to_the_whole(report: Report, drawn: dict[str, Figure]) -> None:
    figure = drawn["breakdown"]
    for i, view in enumerate(report.shown):
        shares = [t["x"][i] or 0.0 for t in figure.data if t["name"] not in {"PUE overhead", "not measured"}]
        assert sum(shares) == pytest.approx(1, rel=1e-5)
        parts = [row[2] for row in figure.table.rows if row[0] == view.full and isinstance(row[2], float)]
        assert math.fsum(parts) == pytest.approx(view.quantity("energy_per_item_j").value)


def test_every_trial_is_a_dot(report: Report, drawn: dict[str, Figure]) -> None:
    expected = []
    for view in report.shown:
        mean = statistics.geometric_mean(rates(view.case))
        expected += [rate / mean - 1 for rate in rates(view.case)]
    for name in ("trials", "drift"):
        lines = [trace for trace in drawn[name].data if not trace["name"].startswith("floor")]
        dots = [x for trace in lines for x in trace["x" if name == "trials" else "y"]]
        assert sorted(dots) == pytest.approx(sorted(expected), rel=1e-4, abs=1e-9)


def test_first_calls_and_memory(report: Report, drawn: dict[str, Figure]) -> None:
    rows = {row[0]: row for row in drawn["start"].table.rows}
    head = drawn["start"].table.head
    for view in report.shown:
        calls = [trial.first_call_s for trial in view.case.trials if trial.first_call_s]
        assert rows[view.full][head.index("first call, s")] == statistics.median(calls)
        peak = max(trial.peak_memory_bytes["host"] or 0 for trial in view.case.trials)
        assert peak in {row[1] for row in drawn["memory"].table.rows}


def test_shares_of_the_roof(run: RunFile, report: Report, drawn: dict[str, Figure]) -> None:
    flops, bandwidth = max(p.flops_per_s or 0 for p in run.probes), max(p.bytes_per_s or 0 for p in run.probes)
    bars = {y: x for trace in drawn["roofline"].data for x, y in zip(trace["x"], trace["y"], strict=True)}
    shares = [bars[place] for place in sorted(bars)]
    assert len(shares) == len(report.shown)
    for shown, view in zip(shares, report.shown, strict=True):
        case, rate = view.case, view.quantity("throughput").value
        assert case.flops_per_item
        assert case.bytes_per_item
        assert rate
        attainable = min(flops, case.flops_per_item / case.bytes_per_item * bandwidth)
        assert shown == pytest.approx(rate * case.flops_per_item / attainable, rel=1e-5)
    line = drawn["roof-0"].data[0]
    for x, y in zip(line["x"], line["y"], strict=True):
        assert y == pytest.approx(min(flops, x * bandwidth), rel=1e-4)


def test_a_second_opinion_stands_beside_ours(run: RunFile, drawn: dict[str, Figure]) -> None:
    ours, theirs = drawn["opinion-a"].data
    assert (ours["x"], theirs["x"]) == ([3000.0, None, None], [2400.0, 120.0, None])
    assert drawn["opinion-a"].table.rows[1][1] is None
    assert "0.80 times ours" in drawn["opinion-a"].finding


def test_power_is_the_traces(run: RunFile, drawn: dict[str, Figure]) -> None:
    channel = run.traces[0].channels[0]
    line = next(trace for trace in drawn["power-a"].data if trace.get("meta", {}).get("ink"))
    energies = [value for value in channel.values if value is not None]
    times = run.traces[0].t_s
    total_j = sum(
        power * (times[i + 1] - times[i]) for i, power in enumerate(line["y"]) if len(line["y"]) == len(times) - 1
    )
    assert total_j == pytest.approx(energies[-1] - energies[0], rel=5e-4)  # a point has four digits


def test_batch_curves() -> None:
    report = build([batches()])
    drawn = {figure.id: figure for figure in figures(report)}
    figure = drawn["batch-0"]
    speed = next(trace for trace in figure.data if trace["xaxis"] == "x")
    by_batch = {view.case.batch_size: view.quantity("throughput").value for view in report.shown}
    assert dict(zip(speed["x"], speed["y"], strict=True)) == {k: number(v) for k, v in by_batch.items()}


def numbers_of(value: Any) -> list[float]:
    """All floats anywhere in plain data."""
    if isinstance(value, dict):
        return [x for item in value.values() for x in numbers_of(item)]
    if isinstance(value, list):
        return [x for item in value for x in numbers_of(item)]
    return [value] if isinstance(value, float) else []


def test_figures_are_plain_rounded_and_known_to_plotly(drawn: dict[str, Figure]) -> None:
    for figure in drawn.values():
        assert all(math.isfinite(x) for x in numbers_of([figure.data, figure.layout]))
        made = plotly_figure(figure)
        assert len(made.data) == len(figure.data)
        assert "bdata" not in made.to_json()
        assert figure.finding
        assert figure.reading
        assert figure.table.rows
