"""A sweep is not resumed under another power limit than it began with: its default would be another setting."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plans import INSTALLED
from swept_runs import make_run

from joulemark.suite.cli.support.prepare import PreparedRun
from joulemark.suite.cli.support.resumed import _change_since
from joulemark.suite.plan.cases import make_plan
from joulemark.suite.records import Settings


@pytest.mark.parametrize(
    ("limit_w", "change"), [(700, ""), (650, "the power limit in force has changed from 700 W to 650 W")]
)
def test_limit_in_force_is_that_of_the_beginning(limit_w, change):
    run = make_run()
    cases = [case.model_copy(update={"power_limit_w": limit_w}) if case.sweep_default else case for case in run.cases]
    plan = make_plan(Settings(workload=("matmul",)), INSTALLED, 1, 2)
    plan = replace(plan, cases=tuple(cases), rounds=run.run.rounds)
    assert _change_since(run, PreparedRun(run.settings, run.machine, plan)) == change
