"""Summaries are those of the trials, whatever a file says; a file that says something else is refused."""

from __future__ import annotations

from typing import Any

import pytest
from edited_run_files import edited, refusal
from run_files import run_file

from joulemark.suite.records import Summary
from joulemark.suite.results.run_files import parse, read

QUANTITIES = tuple(Summary.model_fields)


@pytest.mark.parametrize("name", QUANTITIES)
@pytest.mark.parametrize("field", ["value", "low", "high"])
def test_a_number_that_the_trials_do_not_give_is_refused(name: str, field: str) -> None:
    kept = getattr(getattr(run_file().cases[0].summary, name), field)
    for value in (kept * 1000, kept * 1.00001, None):
        line = refusal(edited(f"cases.0.summary.{name}.{field}", value))
        assert f"at cases.0.summary.{name}.{field}: it is " in line
        assert f"but the trials give {kept:.6g} " in line


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("energy_per_item_j.n", 50, "energy_per_item_j.n: it is 50, but the trials give 3"),
        ("energy_per_item_j.unit", "kJ", "energy_per_item_j.unit: it is 'kJ', but the trials give 'J'"),
        ("power_w.kind", "model", "power_w.kind: it is 'model', but the trials give 'counter'"),
        ("power_w.lower_bound", True, "power_w.lower_bound: it is True, but the trials give False"),
    ],
)
def test_what_a_number_is_must_agree_too(path: str, value: Any, problem: str) -> None:
    assert f"at cases.0.summary.{problem}." in refusal(edited(f"cases.0.summary.{path}", value))


def test_numbers_that_were_rounded_become_those_of_the_trials() -> None:
    original = run_file()
    assert original.cases[0].summary is not None
    kept = original.cases[0].summary.power_w
    assert kept.value is not None
    text = edited("cases.0.summary.power_w.value", kept.value * (1 + 1e-8), original)
    assert parse(text, "x.json") == original


def test_ranges_and_reasons_are_those_of_this_version() -> None:
    original = run_file()
    text = edited("cases.0.summary.power_w.ranges", {"sensor": [0.5, 2.0]}, original)
    assert parse(text, "x.json") == original


def test_notices_are_kept(tmp_path: Any) -> None:
    text = edited(
        "notices",
        [{"code": "simulated", "value": "x", "threshold": None, "message": "m", "consequence": "c", "remedy": "r"}],
    )
    (tmp_path / "run.json").write_text(text)
    assert [notice.message for notice in read(tmp_path / "run.json").notices] == ["m"]


@pytest.mark.parametrize(("name", "is_refused"), [("throughput", True), ("step_time_s", True), ("power_w", False)])
def test_another_version_may_have_other_rules_for_energy_and_intervals(name: str, is_refused: bool) -> None:
    original = run_file()
    other = original.model_copy(update={"run": original.run.model_copy(update={"suite_version": "0.0.1"})})
    assert parse(edited(f"cases.0.summary.{name}.low", None, other), "x.json") == other
    changed = edited(f"cases.0.summary.{name}.value", 1.0, other)
    if is_refused:
        assert f"at cases.0.summary.{name}.value: it is 1 " in refusal(changed)
    else:
        assert parse(changed, "x.json") == other
    assert "summary.power_w.n: it is 50" in refusal(edited("cases.0.summary.power_w.n", 50, other))
