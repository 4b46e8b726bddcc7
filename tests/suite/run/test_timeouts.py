"""A board's first use takes longer: which trial may."""

from __future__ import annotations

import pytest
from run_files import case

from joulemark.suite.records import Case
from joulemark.suite.run.timeouts import FIRST_USE, Timeouts

TRIAL_S = 10.0


def on_board(**fields: object) -> Case:
    return case().model_copy(update={"device": "cuda:0"} | fields)


def test_a_case_that_is_refused_at_once_leaves_the_first_use_to_the_next() -> None:
    patience, refused = Timeouts(TRIAL_S), on_board(precision="tf32")
    patience.on_stage(refused, "load")
    assert patience.seconds(on_board()) == FIRST_USE * TRIAL_S
    for part in ("load", "first_call"):
        patience.on_stage(on_board(), part)
    assert patience.seconds(on_board()) == patience.seconds(refused) == TRIAL_S


@pytest.mark.parametrize("fields", [{"arm": "b"}, {"framework": "tensorflow"}, {"device": "cuda:1"}])
def test_each_arm_framework_and_board_has_a_first_use_of_its_own(fields: dict[str, str]) -> None:
    patience = Timeouts(TRIAL_S)
    patience.on_stage(on_board(arm="a"), "first_call")
    assert patience.seconds(on_board(arm="a")) == TRIAL_S
    assert patience.seconds(on_board(**{"arm": "a"} | fields)) == FIRST_USE * TRIAL_S


def test_the_processor_has_no_first_use() -> None:
    assert Timeouts(TRIAL_S).seconds(case()) == TRIAL_S
