"""The table of a sweep: two rounds that disagree have an interval that says nothing, and the table says so in words."""

from __future__ import annotations

import re

import pytest
from command import joulemark
from run_files import energy, trial
from swept_runs import make_run

from joulemark.suite.records import write
from joulemark.suite.results.summary import recompute

pytestmark = pytest.mark.slow


def test_an_interval_of_rounds_that_disagree_is_words_and_no_digits(tmp_path):
    run = make_run()
    first, *others = run.cases
    trials = [trial(number, rate, 10.0 * number, 2.0, [energy(100.0)]) for number, rate in ((1, 5.0), (2, 5000.0))]
    cases = [each.model_copy(update={"trials": each.trials[:2]}) for each in others]
    changed = first.model_copy(update={"trials": tuple(trials)})
    made = run.model_copy(
        update={
            "cases": (changed, *cases),
            "run": run.run.model_copy(update={"rounds": 2, "max_rounds": 2}),
        }
    )
    write(recompute(made, made.emissions), tmp_path / "sweep.json")
    shown = joulemark(tmp_path, "show", "sweep.json")
    assert shown.returncode == 0, shown.stderr
    (row,) = [line for line in shown.stdout.splitlines() if line.lstrip().startswith("400 W") and "over" in line]
    assert "158 (uncertain by over 100 times)" in row
    assert re.findall(r"\d{1,3}(?:,\d{3}){4,}|0\.0{6,}\d", shown.stdout) == []
