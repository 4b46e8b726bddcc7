"""Which results make one series, and which are of unlike kinds."""

from __future__ import annotations

from datetime import datetime, timedelta

from report_files import summarised, trials
from run_files import case, machine, run_file

from joulemark.suite.results.history.rows import rows
from joulemark.suite.results.history.series import METRICS, needed, series


def row(number: int = 0, kind: str = "counter", **more: object) -> dict:
    """The row of a run of one case, some hours after the first."""
    file = summarised(run_file([case(trials=trials(100.0, 50.0, 8.0, kind=kind))], id=f"run-{number:03d}"))
    (made,) = rows(file)
    return {**made, "started_at": datetime(2026, 11, 1) + timedelta(hours=number), **more}


def lengths(found: list[dict], metric: str) -> list[int]:
    return [len(one.points) for one in series(found, [metric])]


def test_runs_are_in_the_order_of_their_time_whatever_the_order_of_the_rows():
    (one,) = series([row(number) for number in (3, 1, 2)], ["throughput"])
    assert [point.run for point in one.points] == ["run-001", "run-002", "run-003"]


def test_unlike_machines_and_workload_versions_are_unlike_series():
    found = [row(0), row(1, fingerprint="other"), row(2, workload_version="newer"), row(3)]
    assert sorted(lengths(found, "throughput")) == [1, 1, 2]
    assert machine().fingerprint == row(0)["fingerprint"]


def test_estimates_are_never_in_one_series_with_what_was_measured():
    found = [row(0), row(1, kind="model"), row(2), row(3, energy_lower_bound=True)]
    assert {one.kind: len(one.points) for one in series(found, ["energy"])} == {
        "measured": 2,
        "estimated": 1,
        "measured, lower bound": 1,
    }
    assert lengths(found, "throughput") == [4]


def test_runs_without_a_value_are_counted_and_not_drawn():
    found = [row(0), row(1, kind="unavailable"), row(2)]
    (one,) = series(found, ["energy"])
    assert (len(one.points), one.without) == (2, 1)
    (none,) = series([row(0, kind="unavailable")], ["energy"])
    assert (none.points, none.without, none.changes) == ((), 1, ())


def test_arms_of_ab_runs_are_left_out():
    assert lengths([row(0), row(1, arm="a"), row(2, arm="b")], "throughput") == [1]


def test_every_metric_can_be_followed():
    found = [row(number) for number in range(3)]
    for metric in METRICS:
        assert lengths(found, metric) == [3], metric
    assert set(needed(list(METRICS))) <= set(found[0])


def test_levels_lie_between_the_steps():
    found = [row(n, throughput=value) for n, value in enumerate([100.0, 101.0] * 10 + [120.0, 121.0] * 10)]
    (one,) = series(found, ["throughput"])
    assert one.levels == ((0, 20), (20, 40))
    assert one.changes[0].point.run == "run-020"


def test_what_changed_at_a_step_is_told_and_the_grid_only_where_it_counts():
    """The grid moves emissions and nothing else."""

    def found(metric: str) -> dict[str, tuple[str, str]]:
        made = [
            row(
                n,
                **{METRICS[metric]: 1.0 + 0.01 * (n % 2) + (n >= 20)},
                driver="1" if n < 20 else "2",
                g_per_kwh=n // 20,
            )
            for n in range(40)
        ]
        return dict(series(made, [metric])[0].changes[0].new)

    assert found("throughput") == {"driver": ("1", "2")}
    assert found("emissions") == {"driver": ("1", "2"), "g/kWh": ("0", "1")}
