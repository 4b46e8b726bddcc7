"""Many machines in order: by what was put into their runs, and honest where there is no index."""

from __future__ import annotations

import math

import pytest
from many_machines import machines, power_of, speed_of
from report_files import report_inputs
from run_files import case, energy, run_file, trial

from joulemark.reports.figures.several.machines import figures
from joulemark.reports.model import build
from joulemark.reports.model.ranking import rankings
from joulemark.reports.model.report import MAX_DETAILED
from joulemark.suite.records import RunFile
from joulemark.suite.results.summary import recompute


def test_order_and_index_are_those_of_the_machines() -> None:
    """Machine i is `speed_of(i)` times as fast as machine 0, and uses `power_of(i)` watts."""
    runs = machines(9)
    (ranking,) = rankings(runs)
    hosts = [f"node-{i:03d}" for i in sorted(range(9), key=speed_of, reverse=True)]
    assert [machine.host for machine in ranking.machines] == hosts
    by_host = {machine.host: machine for machine in ranking.machines}
    fifth = by_host["node-005"]
    assert fifth.speed.value == pytest.approx(speed_of(5), rel=0.01)  # rates differ by 1 % from trial to trial
    assert fifth.speed.low < speed_of(5) < fifth.speed.high
    joules = speed_of(5) * power_of(0) / power_of(5)
    assert fifth.efficiency.value == pytest.approx(joules, rel=0.01)
    assert by_host["node-000"].value == 1.0
    assert len(fifth.ratios) == 4
    assert math.prod(speed for speed, _ in fifth.ratios.values()) ** 0.25 == pytest.approx(fifth.speed.value)


def with_estimates(run: RunFile) -> RunFile:
    """Return the run with its energy estimated."""
    cases = [
        kept.model_copy(
            update={
                "trials": tuple(t.model_copy(update={"energy": (energy(99.0, kind="model"),)}) for t in kept.trials),
                "summary": None,
            }
        )
        for kept in run.cases
    ]
    return recompute(run.model_copy(update={"cases": tuple(cases)}), run.emissions)


def test_machine_without_an_index_says_why() -> None:
    runs = machines(4)
    (ranking,) = rankings([*runs[:3], with_estimates(runs[3])])
    estimated = next(machine for machine in ranking.machines if machine.host == "node-003")
    assert estimated.speed.value is not None
    assert (estimated.efficiency.value, estimated.texts[1]) == (None, "")
    assert estimated.reason == "no index of items per joule: this run's energy is estimated, not measured"


def test_only_tasks_that_all_share_count_and_only_the_latest_run_of_a_machine() -> None:
    runs = machines(3)
    fewer = runs[2].model_copy(update={"cases": runs[2].cases[:2]})
    (ranking,) = rankings([*runs[:2], fewer])
    assert len(ranking.basket.tasks) == 2
    assert rankings([run_file([case(trials=[trial()])], id="x"), *runs]) == ()  # they share no task
    assert rankings(report_inputs()["twelve-runs"]) == ()  # one machine
    assert rankings(report_inputs()["two-machines"]) == ()


def test_small_multiples_have_a_panel_for_each_task() -> None:
    (figure,) = figures(build(machines(5)))
    assert sorted(name for name in figure.layout if name.startswith("xaxis")) == ["xaxis", "xaxis2", "xaxis3", "xaxis4"]
    assert len(figure.table.rows) == 5
    assert all(1.0 in figure.layout[name]["tickvals"] for name in figure.layout if name.startswith("xaxis"))


def test_a_page_of_many_runs_describes_the_first_alone() -> None:
    report = build(machines(MAX_DETAILED + 3))
    assert len(report.runs) == MAX_DETAILED + 3
    assert len(report.detailed) == MAX_DETAILED
    assert report.rankings[0].sentence.startswith(f"Of {MAX_DETAILED + 3} machines in PyTorch eager, Processor")
