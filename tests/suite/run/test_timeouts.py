"""Which trials may take longer: the first ones on a GPU."""

from __future__ import annotations

import pytest
from run_files import case

from joulemark.suite.records import Case
from joulemark.suite.run.trials import FIRST_USE_FACTOR, Timeouts

TIMEOUT_S = 10.0


def gpu_case(**fields: object) -> Case:
    return case().model_copy(update={"device": "cuda:0"} | fields)


def test_a_case_that_is_refused_before_its_first_call_is_no_first_use() -> None:
    timeouts, refused = Timeouts(TIMEOUT_S), gpu_case(precision="tf32")
    timeouts.on_stage(refused, "load")
    assert timeouts.for_trial(gpu_case()) == FIRST_USE_FACTOR * TIMEOUT_S
    for stage in ("load", "first_call"):
        timeouts.on_stage(gpu_case(), stage)
    assert timeouts.for_trial(gpu_case()) == timeouts.for_trial(refused) == TIMEOUT_S


@pytest.mark.parametrize("fields", [{"arm": "b"}, {"framework": "tensorflow"}, {"device": "cuda:1"}])
def test_each_arm_framework_and_gpu_has_its_own_first_use(fields: dict[str, str]) -> None:
    timeouts = Timeouts(TIMEOUT_S)
    timeouts.on_stage(gpu_case(arm="a"), "first_call")
    assert timeouts.for_trial(gpu_case(arm="a")) == TIMEOUT_S
    assert timeouts.for_trial(gpu_case(**{"arm": "a"} | fields)) == FIRST_USE_FACTOR * TIMEOUT_S


def test_the_cpu_has_no_first_use() -> None:
    assert Timeouts(TIMEOUT_S).for_trial(case()) == TIMEOUT_S
