"""Earlier runs of the same selection, which form a baseline."""

from __future__ import annotations

from pathlib import Path

from comparisons import case_with_rates
from run_files import run_file, starting_at

from joulemark.suite.records import ArmSettings, RunFile, Settings, write
from joulemark.suite.results.past_runs import earlier_runs, runs_of_machine


def run(number: int) -> RunFile:
    made = run_file([case_with_rates(1e5, 1e5)], id=f"run-{number:02d}")
    return starting_at(made, f"2026-11-{number:02d}T12:00:00Z")


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


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_used(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write(run(number), tmp_path / f"run-{number:02d}.json")
    (tmp_path / "run-01.json").write_text("{")
    left_out: list[str] = []
    assert [one.run.id for one in runs_of_machine(run(3), tmp_path, left_out.append)] == ["run-02"]
    assert len(left_out) == 1
    assert left_out[0].startswith("Left out run-01: ")
