"""Which calibrated effort holds for a run, and what the user's own options leave of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plans import make
from run_files import machine

from joulemark.suite.errors import UsageError
from joulemark.suite.plan import kept_effort
from joulemark.suite.plan.kept_effort import FILE_NAME, find, load, save, with_effort
from joulemark.suite.plan.profiles import find_profile
from joulemark.suite.records import CalibratedEffort, Settings
from joulemark.suite.sensors.calibrations import this_machine
from joulemark.suite.settings import resolve

HERE = machine()
PLAN = make(profile="ci", framework=("pytorch",))
IDS = tuple(case.id for case in PLAN.runnable())


def effort(**fields: Any) -> CalibratedEffort:
    values: dict[str, Any] = {
        "machine": this_machine(),
        "fingerprint": HERE.fingerprint,
        "made_at": "2026-11-30T12:00:00+00:00",
        "runs": ("first", "last"),
        "cases": IDS,
        "threads": 2,
        "warmup_s": 0.5,
        "window_s": 0.2,
        "rounds": 14,
        "time_s": 600.0,
        "detects": 0.04,
    }
    return CalibratedEffort(**{**values, **fields})


def test_only_those_of_this_machine_as_it_is_now_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEMARK_HOME", str(tmp_path))
    path = tmp_path / FILE_NAME
    assert load(HERE) == []
    others = [effort(machine="0" * 12), effort(fingerprint="another"), effort(cases=IDS[:1])]
    newer = effort(made_at="2026-12-01T12:00:00+00:00", rounds=20)
    for each in (*others, effort(), newer):
        save(path, each)
    assert load(HERE) == [newer, others[2]]  # it replaces the earlier one for the same cases
    path.write_text(path.read_text().replace('"rounds": 20', '"rounds": 0'))
    assert load(HERE) == [others[2]]
    for number in range(kept_effort.MAX_KEPT + 5):
        save(path, effort(cases=(f"case{number}",)))
    assert len(load(HERE)) == kept_effort.MAX_KEPT


def test_an_effort_holds_for_the_cases_and_threads_that_it_was_found_with() -> None:
    cases = PLAN.runnable()
    assert find([effort(cases=IDS[1:]), effort(rounds=9)], cases) == effort(rounds=9)
    assert find([effort()], cases[:1]) == effort()
    assert find([effort(threads=1)], cases) is None
    arms = [case.model_copy(update={"id": f"{case.id}+arm=b", "arm": "b"}) for case in cases]
    assert find([effort()], arms) == effort()
    assert find([effort()], [case.model_copy(update={"id": f"{case.id}+threads=2"}) for case in cases]) is None
    assert find([effort()], []) is None


def test_what_the_user_gives_comes_first() -> None:
    chosen = with_effort(Settings(profile="ci"), effort())
    assert (chosen.rounds, chosen.window_s, chosen.warmup_s) == (14, {"cpu": 0.2}, {"cpu": 0.5})
    assert chosen.effort_source == "rounds, window, warm-up by `joulemark calibrate`, 2026-11-30, runs first to last"
    partly = with_effort(Settings(profile="ci", rounds=3), effort())
    assert (partly.rounds, partly.window_s) == (3, {"cpu": 0.2})
    assert str(partly.effort_source).startswith("window, warm-up by")
    assert with_effort(Settings(profile="ci", max_rounds=30), effort()).rounds is None  # a multiple of the profile's
    paired = with_effort(Settings(profile="ci"), effort(paired_rounds=9), turns=True)
    assert (paired.rounds, paired.window_s, paired.warmup_s) == (9, None, {"cpu": 0.5})
    assert with_effort(Settings(profile="ci"), effort(), turns=True).rounds is None
    own = Settings(profile="ci", rounds=3, window_s=1.0, warmup_s=0.1)
    assert with_effort(own, effort()) == own
    with pytest.raises(UsageError, match="effort_source"):
        _from_file(Path("joulemark.toml"), 'effort_source = "mine"')


def _from_file(path: Path, text: str) -> Settings:
    path.write_text(text)
    return resolve({})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_window_and_warm_up_are_those_of_every_trial_and_lengthen_its_time_limit() -> None:
    plan = make(profile="ci", window_s={"cpu": 90.0}, warmup_s=3.0)
    asked = plan.effort(plan.runnable()[0])
    assert (asked.window_s, asked.warmup_s, asked.max_warmup_s) == (90.0, 3.0, 90.0)
    usual = find_profile(Settings(profile="ci"))
    assert plan.profile.window_s["cuda"] == usual.window_s["cuda"]
    assert plan.profile.timeout_s == pytest.approx(usual.timeout_s + 89.5 + 2.7)
    assert plan.expected_s() > make(profile="ci").expected_s()
    assert find_profile(Settings(profile="ci", window_s=0.1)).timeout_s == usual.timeout_s


@pytest.mark.parametrize(("changes", "calibrated"), [({}, True), ({"rounds": 4}, False), ({"window_s": 1.0}, False)])
def test_a_profile_with_rounds_or_windows_of_its_own_keeps_them(changes: dict[str, Any], calibrated: bool) -> None:
    profiles = {"mine": {"base": "ci", **changes}}
    assert find_profile(Settings(profile="mine", profiles=profiles)).calibrated is calibrated
    assert not find_profile(Settings(profile="quick")).calibrated


def test_windows_are_seconds_within_an_hour() -> None:
    for given, text in (({"window_s": 0.0}, "--window: .* found 0.0"), ({"warmup_s": 9999.0}, "--warmup: .* 9999.0")):
        with pytest.raises(UsageError, match=text):
            resolve(given)
    assert _from_file(Path("joulemark.toml"), "window = { cpu = 0.2 }\nwarmup = 0.5").window_s == {"cpu": 0.2}
