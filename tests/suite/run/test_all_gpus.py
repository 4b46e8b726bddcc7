"""`run --device all` with real processes: each GPU alone, then all at once in windows that overlap."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import cpu_as_gpus
import pytest
from command import joulemark
from environments import require

from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.cli.support.prepare import prepare_run
from joulemark.suite.plan.plan import Plan
from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.gpus.sentences import gpu_sentences
from joulemark.suite.results.run_files import read
from joulemark.suite.run.run_spec import RunSpec
from joulemark.suite.run.runner import measure
from joulemark.suite.trial.request import Effort

DELAYS_S = {"cuda:0": 0.002, "cuda:1": 0.012}
"""Least time of a step; the CPU takes far less for it."""
WINDOW_S = 0.3


class Silent:
    """Listens to a run and says nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


class ShortPlan(Plan):
    """A plan without what only sensors of real GPUs need."""

    def effort(self, case: Case, round_number: int | None = None) -> Effort:
        effort = super().effort(case, round_number)
        return replace(effort, guard_s=0.05, resident_idle_s=0.0, profiled_s=0.0, counted=False)


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> RunFile:
    """Return a run on two GPUs, the second of which is slower by a factor of 6."""
    require("torch")
    home = tmp_path_factory.mktemp("gpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOULEMARK_HOME", str(home))
        patch.setenv("JOULEMARK_LOCK", str(home / "lock"))
        python = cpu_as_gpus.interpreter(home, ("GPU-0", "GPU-1"), DELAYS_S)
        prepared = prepare_run(
            {
                "framework": ["pytorch"], "workload": ["mlp"], "phase": ["inference"], "size": ["tiny"],
                "precision": ["fp32"], "device": ["all"], "python": [f"pytorch={python}"], "rounds": 3,
                "sensor": ["simulated:rapl/constant"], "offline": True, "intensity": "100",
            }
        )  # fmt: skip
        assert prepared.directory is not None
        plan = ShortPlan(**{field.name: getattr(prepared.plan, field.name) for field in fields(Plan)})
        window = dict.fromkeys(("cpu", "cuda"), WINDOW_S)
        profile = replace(
            plan.profile, window_s=window, warmup_s=dict.fromkeys(window, 0.05), idle_s=0.0, server_rounds=3
        )
        emissions, notices = resolve(prepared.settings, datetime.now(UTC), None)
        spec = RunSpec(
            plan=replace(plan, profile=profile),
            settings=prepared.settings,
            machine=prepared.machine,
            emissions=emissions,
            notices=notices,
            command=(),
            directory=prepared.directory,
            sensors=prepared.settings.sensor,
        )
        return read(measure(spec, Silent()))


@pytest.mark.slow
def test_all_gpus_work_at_once_and_what_counts_is_the_window_of_all(run_file: RunFile) -> None:
    *alone, on_all = run_file.cases
    assert [(case.device, case.ranks, case.status) for case in (*alone, on_all)] == [
        ("cuda:0", None, "ok"),
        ("cuda:1", None, "ok"),
        ("cuda:0", 2, "ok"),
    ], [case.reason for case in run_file.cases]
    for trial in on_all.ok_trials:
        assert [rank.device for rank in trial.ranks] == ["cuda:0", "cuda:1"]
        start, end = trial.window_s
        assert start == max(rank.window_s[0] for rank in trial.ranks)
        assert end == min(rank.window_s[1] for rank in trial.ranks)


@pytest.mark.slow
def test_run_compares_the_gpus(run_file: RunFile) -> None:
    across = run_file.cases[-1].across_gpus
    assert across is not None
    fast, slow = across.gpus
    assert slow.alone.deviation < 0 < fast.alone.deviation
    assert [gpu.verdict for gpu in across.gpus] == ["differs"] * 2
    assert "cuda:0 and cuda:1 differ" in " ".join(gpu_sentences(across))  # of two, nobody knows which is wrong
    assert across.host_energy_per_item_j.value is not None
    assert (fast.alone.power_w.value, fast.alone.power_w.reason) == (None, "no readable sensor of this GPU")


@pytest.mark.slow
@pytest.mark.parametrize(("count", "text"), [(0, "no framework sees one"), (1, "there is nothing to compare")])
def test_fewer_than_two_gpus_are_one_line_and_exit_2(tmp_path: Path, count: int, text: str) -> None:
    require("torch")
    python = cpu_as_gpus.interpreter(tmp_path, tuple(f"GPU-{i}" for i in range(count)), {})
    options = ("--framework", "pytorch", "--python", f"pytorch={python}", "--device", "all")
    done = joulemark(tmp_path, "run", "--workload", "mlp", *options)
    assert (done.returncode, done.stdout, len(done.stderr.strip().splitlines())) == (2, "", 1), done.stderr
    assert text in done.stderr
    assert sys.executable not in done.stderr
