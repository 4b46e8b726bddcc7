"""Earlier runs of the same selection, which form a baseline."""

from __future__ import annotations

from comparisons import case_with_rates
from run_files import run_file

from joulemark.suite.records import ArmSettings, RunFile, Settings
from joulemark.suite.results.past_runs import earlier_runs


def run(number: int) -> RunFile:
    made = run_file([case_with_rates(1e5, 1e5)], id=f"run-{number:02d}")
    started = f"2026-11-{number:02d}T12:00:00Z"
    return made.model_copy(update={"run": made.run.model_copy(update={"started_at": started})})


def test_earlier_runs_have_the_same_selection() -> None:
    runs = [run(i) for i in range(1, 6)]
    other = runs[1].model_copy(update={"settings": Settings(zone="CH", workload=("cnn",))})
    earlier = earlier_runs(runs[3], [runs[0], other, runs[2], runs[4]])
    assert [one.run.id for one in earlier] == ["run-01", "run-03"]


def test_runs_with_other_execution_settings_are_no_baseline() -> None:
    plain, last = run(1), run(3)
    others = [
        run(2).model_copy(update={"settings": plain.settings.model_copy(update=update)})
        for update in ({"threads": 1}, {"allocator": "default"}, {"arms": {"a": ArmSettings(mode="eager")}})
    ]
    assert [one.run.id for one in earlier_runs(last, [plain, *others])] == ["run-01"]
