"""The values that charts draw, against the run file."""

from __future__ import annotations

import math
import statistics

import pytest
import responses
from report_files import several_batch_sizes

from joulemark.reports.model import Report, build
from joulemark.reports.plotting.figure import Figure, number
from joulemark.reports.sections import all_figures
from joulemark.suite.records import Case, RunFile


def rates(case: Case) -> list[float]:
    return [trial.items / trial.window_length_s for trial in case.trials if trial.window_s and trial.status == "ok"]


@pytest.mark.parametrize(
    ("id", "quantity"),
    [
        ("throughput", "throughput"),
        ("energy", "energy_per_item_j"),
        ("emissions", "emissions_g_per_1000_items"),
    ],
)
def test_dots_are_the_summaries(report: Report, drawn: dict[str, Figure], id: str, quantity: str) -> None:
    views = {view.key: view for view in report.cases}
    points = 0
    for trace in drawn[id].data:
        if trace["meta"].get("range"):
            continue
        assert len(trace["meta"]["cases"]) == sum(x is not None for x in trace["x"])
        for i, key in enumerate(trace["meta"]["cases"]):
            summary = getattr(views[key].case.summary, quantity)
            assert trace["x"][i] == number(summary.value)
            assert trace["error_x"]["array"][i] == number(summary.high - summary.value)
            assert trace["error_x"]["arrayminus"][i] == number(summary.value - summary.low)
            points += 1
    assert points == sum(view.case.summary is not None for view in views.values())
    rows = {row[0]: row for row in drawn[id].table.rows}
    for view in report.shown:
        expected = view.quantity(quantity)
        assert rows[view.full_name][1:5] == (expected.value, expected.low, expected.high, expected.n)


def test_grey_bars_are_the_ranges(report: Report, drawn: dict[str, Figure]) -> None:
    bars = next(trace for trace in drawn["energy"].data if trace["meta"].get("range"))
    views = {view.key: view for view in report.cases}
    for i, key in enumerate(bars["meta"]["cases"]):
        energy = views[key].quantity("energy_per_item_j")
        assert energy.value is not None
        assert energy.ranges.sensor is not None
        assert bars["x"][3 * i : 3 * i + 2] == [number(energy.value * factor) for factor in energy.ranges.sensor]


def test_ratios_are_of_geometric_means(report: Report, drawn: dict[str, Figure]) -> None:
    speed, efficiency = drawn["ratios"].data
    assert len(report.pairs) == len(speed["x"]) == 3
    for i, pair in enumerate(report.pairs):
        first, second = (statistics.geometric_mean(rates(view.case)) for view in (pair.first, pair.second))
        assert speed["x"][i] == pytest.approx(first / second, rel=1e-5)
        first_j, second_j = (view.quantity("energy_per_item_j").value for view in (pair.first, pair.second))
        assert first_j is not None
        assert second_j is not None
        assert efficiency["x"][i] == pytest.approx(second_j / first_j, rel=1e-5)
        row = drawn["ratios"].table.rows[i]
        assert row[1] == pytest.approx(first / second)
        assert row[5] == pytest.approx(first_j / second_j)


def test_shares_of_the_breakdown_add_up(report: Report, drawn: dict[str, Figure]) -> None:
    figure = drawn["breakdown"]
    for i, view in enumerate(report.shown):
        shares = [t["x"][i] or 0.0 for t in figure.data if t["name"] not in {"PUE overhead", "not measured"}]
        assert sum(shares) == pytest.approx(1, rel=1e-5)
        parts_j = [row[2] for row in figure.table.rows if row[0] == view.full_name and isinstance(row[2], float)]
        assert math.fsum(parts_j) == pytest.approx(view.quantity("energy_per_item_j").value)


def test_every_trial_is_a_dot(report: Report, drawn: dict[str, Figure]) -> None:
    expected = []
    for view in report.shown:
        mean = statistics.geometric_mean(rates(view.case))
        expected += [rate / mean - 1 for rate in rates(view.case)]
    for id, axis in (("trials", "x"), ("drift", "y")):
        traces = [trace for trace in drawn[id].data if not trace["name"].startswith("noise floor")]
        deviations = [value for trace in traces for value in trace[axis]]
        assert sorted(deviations) == pytest.approx(sorted(expected), rel=1e-4, abs=1e-9)


def test_first_calls_are_medians_and_memory_is_the_peak(report: Report, drawn: dict[str, Figure]) -> None:
    rows = {row[0]: row for row in drawn["startup"].table.rows}
    column = drawn["startup"].table.head.index("first call, s")
    for view in report.shown:
        first_calls = [trial.first_call_s for trial in view.case.trials if trial.first_call_s]
        assert rows[view.full_name][column] == statistics.median(first_calls)
        peak = max(trial.peak_memory_bytes["host"] or 0 for trial in view.case.trials)
        assert peak in {row[1] for row in drawn["memory"].table.rows}


def test_shares_of_the_roof(run: RunFile, report: Report, drawn: dict[str, Figure]) -> None:
    flops, bandwidth = max(p.flops_per_s or 0 for p in run.probes), max(p.bytes_per_s or 0 for p in run.probes)
    bars = {y: x for trace in drawn["roofline"].data for x, y in zip(trace["x"], trace["y"], strict=True)}
    for row, view in enumerate(report.shown):
        case, rate = view.case, view.quantity("throughput").value
        assert case.flops_per_item
        assert case.bytes_per_item
        assert rate
        attainable = min(flops, case.flops_per_item / case.bytes_per_item * bandwidth)
        assert bars.pop(row) == pytest.approx(rate * case.flops_per_item / attainable, rel=1e-5)
    assert bars == {}
    line, *marks = drawn["roof-0"].data
    for x, y in zip(line["x"], line["y"], strict=True):
        assert y == pytest.approx(min(flops, x * bandwidth), rel=1e-4)
    # 2.5e8 FLOPs over 1e6 compulsory and 5e7 unfused bytes: on both sides of the ridge, 2.4e11 / 2e10 = 12
    ends = {(x, x - left) for mark in marks for x, left in zip(mark["x"], mark["error_x"]["arrayminus"], strict=True)}
    assert ends == {(250.0, 5.0)}
    assert {(row[1], row[2], row[4]) for row in drawn["roof-0"].table.rows} == {(5.0, 250.0, "undetermined")}
    assert drawn["roof-0"].summary.endswith("memory limits 0 of 6 cases, arithmetic 0; 6 undetermined.")


def test_external_tracker_stands_beside_own_values(drawn: dict[str, Figure]) -> None:
    own, tracker = drawn["tracker-a"].data
    assert (own["x"], tracker["x"]) == ([3000.0, None, None], [2400.0, 120.0, None])
    assert drawn["tracker-a"].table.rows[1][1] is None
    assert "0.80 times" in drawn["tracker-a"].summary


def test_power_lines_have_the_energy_of_the_traces(run: RunFile, drawn: dict[str, Figure]) -> None:
    channel, times = run.traces[0].channels[0], run.traces[0].t_s
    line = next(trace for trace in drawn["power-a"].data if trace.get("meta", {}).get("ink"))
    assert len(line["y"]) == len(times) - 1
    total_j = sum(power * (times[i + 1] - times[i]) for i, power in enumerate(line["y"]))
    energies = [value for value in channel.values if value is not None]
    assert total_j == pytest.approx(energies[-1] - energies[0], rel=5e-4)  # a point has four digits


def test_batch_curves() -> None:
    report = build([several_batch_sizes()])
    figure = next(figure for figure in all_figures(report) if figure.id == "batch-0")
    speed = next(trace for trace in figure.data if trace["xaxis"] == "x")
    expected = {view.case.batch_size: number(view.quantity("throughput").value) for view in report.shown}
    assert dict(zip(speed["x"], speed["y"], strict=True)) == expected


def test_response_curves() -> None:
    """Energy a token falls with the batch as in the run: its steps take as long at any size."""
    figures = {figure.id: figure for figure in all_figures(build([responses.several_batch_sizes()]))}
    assert [id for id in figures if id.startswith("responses")] == [
        f"responses-0-{kind}" for kind in ("output", "parts", "times")
    ]
    parts, times = figures["responses-0-parts"], figures["responses-0-times"]
    prefill, decoding = parts.data
    assert prefill["x"] == decoding["x"] == [1, responses.BATCH, 16]
    for trace, name in ((prefill, "per_prompt_token"), (decoding, "per_output_token")):
        true_j = [responses.TRUE_J[name] * responses.BATCH / size for size in trace["x"]]
        assert trace["y"] == pytest.approx(true_j, rel=0.01)
    first, following = times.data
    assert set(first["y"]) == {responses.PREFILL_S}
    assert set(following["y"]) == {responses.DECODE_S}
    assert following["error_y"]["array"] == pytest.approx([responses.DECODE_S] * 3)  # p99 is twice the median
    assert "lower bounds" in parts.footnote
    assert "100 prompt and 26 new tokens" in parts.summary
    for figure, unit in ((parts, "J"), (times, "s")):
        ticks = [*figure.layout["yaxis"]["ticktext"], *figure.layout["yaxis2"]["ticktext"]]
        assert [text for text in ticks if not text.endswith(unit)] == []
