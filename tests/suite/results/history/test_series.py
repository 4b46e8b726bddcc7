"""Which results form one series, and which do not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from report_files import summarised, trials
from run_files import case, machine, run_file

from joulemark.suite.results.history.rows import rows
from joulemark.suite.results.history.series import METRIC_COLUMNS, columns_needed, series


def row(number: int = 0, kind: str = "counter", **columns: object) -> dict[str, Any]:
    """Return the row of a run of one case, started `number` hours after the first."""
    file = summarised(run_file([case(trials=trials(100.0, 50.0, 8.0, kind=kind))], id=f"run-{number:03d}"))
    (run_row,) = rows(file)
    return {**run_row, "started_at": datetime(2026, 11, 1) + timedelta(hours=number), **columns}


def lengths(of_rows: list[dict[str, Any]], metric: str) -> list[int]:
    return [len(entry.points) for entry in series(of_rows, [metric])]


def test_runs_are_in_the_order_of_time():
    (throughput,) = series([row(number) for number in (3, 1, 2)], ["throughput"])
    assert [point.run for point in throughput.points] == ["run-001", "run-002", "run-003"]


def test_machines_and_workload_versions_form_series_of_their_own():
    assert machine().fingerprint == row(0)["fingerprint"]
    run_rows = [row(0), row(1, fingerprint="other"), row(2, workload_version="newer"), row(3)]
    assert sorted(lengths(run_rows, "throughput")) == [1, 1, 2]


def test_estimates_and_lower_bounds_form_series_of_their_own():
    run_rows = [row(0), row(1, kind="model"), row(2), row(3, energy_lower_bound=True)]
    assert {entry.kind: len(entry.points) for entry in series(run_rows, ["energy"])} == {
        "measured": 2,
        "estimated": 1,
        "measured, lower bound": 1,
    }
    assert lengths(run_rows, "throughput") == [4]


def test_runs_without_a_value_are_counted():
    (energy,) = series([row(0), row(1, kind="unavailable"), row(2)], ["energy"])
    assert (len(energy.points), energy.runs_without_value) == (2, 1)
    (empty,) = series([row(0, kind="unavailable")], ["energy"])
    assert (empty.points, empty.runs_without_value, empty.changes) == ((), 1, ())


def test_arms_of_ab_runs_are_left_out():
    assert lengths([row(0), row(1, arm="a"), row(2, arm="b")], "throughput") == [1]


def test_every_metric_can_be_followed():
    run_rows = [row(number) for number in range(3)]
    for metric in METRIC_COLUMNS:
        assert lengths(run_rows, metric) == [3], metric
    assert set(columns_needed(list(METRIC_COLUMNS))) <= set(run_rows[0])


def test_levels_lie_between_change_points():
    values = [100.0, 101.0] * 10 + [120.0, 121.0] * 10
    (throughput,) = series([row(n, throughput=value) for n, value in enumerate(values)], ["throughput"])
    assert throughput.levels == ((0, 20), (20, 40))
    assert throughput.changes[0].point.run == "run-020"


def test_new_facts_at_a_change_point_include_the_grid_for_emissions_only():
    def new_facts(metric: str) -> dict[str, tuple[str, str]]:
        column = METRIC_COLUMNS[metric]
        run_rows = [
            row(
                n,
                **{column: 1.0 + 0.01 * (n % 2) + (n >= 20)},
                driver="1" if n < 20 else "2",
                g_per_kwh=n // 20,
            )
            for n in range(40)
        ]
        return dict(series(run_rows, [metric])[0].changes[0].new_facts)

    assert new_facts("throughput") == {"driver": ("1", "2")}
    assert new_facts("emissions") == {"driver": ("1", "2"), "g/kWh": ("0", "1")}
