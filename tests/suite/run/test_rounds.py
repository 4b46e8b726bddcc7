"""Rounds of a run, measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from environments import known, require

from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.cli.support.prepare import prepare_run
from joulemark.suite.results.run_files import read
from joulemark.suite.run.run_spec import RunSpec
from joulemark.suite.run.runner import measure


class Stages:
    """Listens to a run: the stages between trials, and `trial` for each trial."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_stage(self, text: str) -> None:
        self.seen.append(text)

    def on_trial_end(self, *_: object) -> None:
        self.seen.append("trial")

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


@pytest.mark.slow
def test_fork_servers_serve_as_many_rounds_as_the_profile_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    require("torch")
    monkeypatch.setenv("JOULEMARK_HOME", str(tmp_path / "home"))
    prepared = prepare_run(
        {
            "framework": ["pytorch"], "workload": ["mlp"], "phase": ["inference"], "size": ["tiny"], "rounds": 3,
            "sensor": ["simulated:rapl/constant"], "offline": True, "intensity": "100",
            "python": [known("pytorch")[1]], "threads": 1,
        }
    )  # fmt: skip
    assert prepared.directory is not None
    profile = replace(prepared.plan.profile, server_rounds=2, window_s={"cpu": 0.05, "cuda": 0.05}, idle_s=0.0)
    emissions, notices = resolve(prepared.settings, datetime.now(UTC), None)
    stages = Stages()
    spec = RunSpec(
        plan=replace(prepared.plan, profile=profile),
        settings=prepared.settings,
        machine=prepared.machine,
        emissions=emissions,
        notices=notices,
        command=(),
        directory=prepared.directory,
        sensors=prepared.settings.sensor,
    )
    run_file = read(measure(spec, stages))
    assert [trial.status for case in run_file.cases for trial in case.trials] == ["ok"] * 3
    seen = [stage for stage in stages.seen if stage == "trial" or stage.startswith("importing")]
    assert seen == ["importing pytorch", "trial", "trial", "importing pytorch", "trial"]
