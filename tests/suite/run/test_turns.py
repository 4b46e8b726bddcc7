"""Pairs of trials in real fork servers: they alternate, and whatever fails costs the turns and not the windows."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import faulty_trials
import psutil
import pytest
from environments import require
from run_files import case, machine, run_file

from joulemark.suite.notices import Code
from joulemark.suite.plan.ab import ArmSpec
from joulemark.suite.plan.plan import Plan
from joulemark.suite.plan.profiles import PROFILES
from joulemark.suite.records import ArmRecord, Case, Notice, Settings, Trial
from joulemark.suite.run.run_spec import RunSpec
from joulemark.suite.run.trials import TrialRunner
from joulemark.suite.run.turns import PairRunner
from joulemark.suite.trial.environment import Environment

require("torch")
pytestmark = pytest.mark.slow

TURNS = 3
PROFILE = replace(PROFILES["ci"], turns=TURNS, timeout_s=faulty_trials.LIMIT_S, window_s={"cpu": 0.1, "cuda": 0.1})
PAIRS = {
    "slower": ("sleeps_20_ms", "sleeps_60_ms"),
    "second_fails": ("sleep", "raises_at_first"),
    "no_memory_for_two": ("resident", "needs_memory"),
    "hangs": ("sleep", "hangs_in_turn"),
    "dies": ("dies_in_turn", "sleep"),
    "interrupted": ("sleep", "none"),
}
"""Faults of the first and the second trial by name of the pair."""


def faulty_case(pair: str, arm: str, fault: str) -> Case:
    fields = {"phase": "inference", "arm": arm, "batch_size": 1, "threads": 1, "allocator": "retain", "size": fault}
    id_ = f"faulty:{fault}/inference/pytorch/eager/cpu/fp32/b1+arm={arm}+pair={pair}"
    return case("faulty", trials=(), id=id_, status="skipped", reason_code="not_attempted", item="step", **fields)


@dataclass
class Run:
    """What a run would hear of, in order."""

    trials: TrialRunner
    plan: Plan
    windows: list[tuple[str, Trial]] = field(default_factory=list)
    ended: dict[str, list[Trial]] = field(default_factory=lambda: {"a": [], "b": []})
    notices: list[Notice] = field(default_factory=list)
    interrupted_in: str | None = None
    """The arm whose trial is interrupted when it waits for its turns."""
    family: list[psutil.Process] = field(default_factory=list)
    """The processes of that moment."""

    def __post_init__(self) -> None:
        self.pairs = PairRunner(self.trials, self.plan, self.on_window, self.on_end, self.notices.append)

    def on_window(self, each: Case, trial: Trial) -> None:
        self.windows.append((str(each.arm), trial))
        if each.arm == self.interrupted_in:
            self.family = [each for each in psutil.Process().children(recursive=True) if "TURNS_TEST" in each.environ()]
            signal.raise_signal(signal.SIGINT)

    def on_end(self, each: Case, trial: Trial) -> None:
        self.ended[str(each.arm)].append(trial)

    def measure(self, pair: str, round_number: int = 1) -> tuple[Trial, Trial]:
        """Run a pair and return the trials of both arms."""
        self.pairs.run(tuple(self.plan.in_pairs(self.plan.cases)[list(PAIRS).index(pair)]), round_number)
        return self.ended["a"][-1], self.ended["b"][-1]


class Silent:
    """A listener that shows nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_arguments: None


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TrialRunner, Plan]]:
    """Two arms of one interpreter, with their fork servers."""
    folder: Path = tmp_path_factory.mktemp("turns")
    cases = [
        faulty_case(name, arm, fault) for name, faults in PAIRS.items() for arm, fault in zip("ab", faults, strict=True)
    ]
    plan = Plan(
        PROFILE, tuple(cases), 1, order_seed=1, pair_of={each.id: each.id.partition("pair=")[2] for each in cases}
    )
    variables = {**faulty_trials.variables(folder, folder / "pid"), "TURNS_TEST": "1"}
    environments = {(arm, 1): Environment(variables, {}, {}, ()) for arm in ("a", "b")}
    record = ArmRecord(interpreter="python", python="3", suite_version="1")
    arms = {arm: ArmSpec(record, {}, 1) for arm in ("a", "b")}
    spec = RunSpec(plan, Settings(), machine(), run_file().emissions, (), (), folder, arms=arms)
    runner = TrialRunner(spec, environments, 0.0, Silent(), lambda _notice: None)
    runner.start_servers(cases)
    yield runner, plan
    runner.close_servers()


@pytest.fixture
def run(trials: tuple[TrialRunner, Plan]) -> Run:
    return Run(*trials)


def test_both_take_turns_and_a_step_that_sleeps_thrice_as_long_is_seen(run: Run) -> None:
    a, b = run.measure("slower")
    assert (len(a.turns_s), len(b.turns_s)) == (TURNS, TURNS)
    assert min(a.turns_s) >= 0.020
    assert min(b.turns_s) >= 0.060
    assert sorted(b / a for a, b in zip(a.turns_s, b.turns_s, strict=True))[TURNS // 2] > 1.5
    # Each had its window by itself, and what follows the turns was measured too.
    assert [arm for arm, _ in run.windows] == ["a", "b"]
    assert b.started_s >= a.window_s[1]
    assert a.work is not None
    assert run.notices == []
    # The second trial of a pair whose first is there already, in a resumed run, has a window only.
    run.pairs.run((run.plan.cases[1],), 2)
    assert run.ended["b"][-1].turns_s == ()


def test_a_second_trial_that_fails_by_itself_leaves_the_first_as_it_is(run: Run) -> None:
    a, b = run.measure("second_fails")
    assert (a.status, a.turns_s) == ("ok", ())
    assert (b.status, b.reason_code) == ("failed", "raised")
    assert run.notices == []


def test_a_pair_that_does_not_fit_in_memory_is_measured_one_after_the_other(run: Run) -> None:
    for round_number in (1, 2):
        a, b = run.measure("no_memory_for_two", round_number)
        assert (a.status, b.status, a.turns_s, b.turns_s) == ("ok", "ok", (), ())
    (notice,) = run.notices
    assert notice.code == Code.TURNS_NOT_TAKEN
    assert "planted beside" in notice.message
    assert len(run.windows) == 1, "the second round tried again"


def test_a_trial_that_dies_in_a_turn_keeps_its_window(run: Run) -> None:
    check_kept(run, *run.measure("dies"), "SIGKILL")


def test_a_trial_that_hangs_in_a_turn_keeps_its_window(
    trials: tuple[TrialRunner, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, plan = trials
    for timeout_s in (4.0, 16.0, faulty_trials.LIMIT_S):  # a busy machine may need longer to come as far
        monkeypatch.setattr(runner._timeouts, "timeout_s", timeout_s)
        run = Run(runner, plan)
        a, b = run.measure("hangs")
        if a.status == b.status == "ok":
            break
    check_kept(run, a, b, f"not finished within {timeout_s:.0f} s")


def check_kept(run: Run, a: Trial, b: Trial, reason: str) -> None:
    """Check that both trials of a pair have windows and no turns, for the reason."""
    assert (a.status, b.status, a.turns_s, b.turns_s) == ("ok", "ok", (), ())
    assert None not in (a.window_s, b.window_s)
    assert reason in run.notices[0].message
    assert "in turns" in run.notices[0].message


def test_an_interrupt_keeps_both_windows_and_leaves_nothing_behind(trials: tuple[TrialRunner, Plan]) -> None:
    run = Run(*trials, interrupted_in="b")
    with pytest.raises(KeyboardInterrupt):
        run.measure("interrupted")
    assert [(arm, trial.status) for arm, trial in run.windows] == [("a", "ok"), ("b", "ok")]
    assert len(run.family) >= 4, "two servers, and a trial of each"
    run.trials.close_servers()
    assert psutil.wait_procs(run.family, timeout=60)[1] == []
