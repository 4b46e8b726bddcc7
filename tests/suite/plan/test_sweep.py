"""The plan of a sweep: its settings, the default among them, and their ids."""

from __future__ import annotations

import pytest
from plans import INSTALLED, with_gpus

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.memory import MEMORY
from joulemark.suite.plan.sweep import check_options, make_sweep_plan
from joulemark.suite.records import Settings
from joulemark.workloads.registry import workloads

ONE = {"workload": ("matmul",), "framework": ("pytorch",)}
RESPONSES = {"workload": ("gpt2",), "phase": ("response",)}
CNN = {"workload": ("cnn",), "phase": ("training",)}


def make(over, installed=INSTALLED, limit_w=None, memory_bytes=None, **settings):
    asked = Settings(over=over, **{**ONE, **settings})
    return make_sweep_plan(asked, installed, 1, 2, False, memory_bytes or {}, limit_w)


def ends(plan):
    return [case.id.partition("/fp32/")[2] for case in plan.cases]


def defaults(plan):
    return [case.id for case in plan.cases if case.sweep_default]


def test_execution_settings_stand_in_the_id_where_they_are_not_the_default() -> None:
    plan = make({"power-limit": (300, 350, 400), "threads": (1, 2)}, limit_w=400)
    batch = ends(plan)[-1].partition("+")[0]
    assert ends(plan) == [
        f"{batch}+power-limit=300+threads=1",
        f"{batch}+power-limit=350+threads=1",
        f"{batch}+threads=1",
        f"{batch}+power-limit=300",
        f"{batch}+power-limit=350",
        batch,
    ]
    assert defaults(plan) == [case.id for case in plan.cases if case.id.endswith(f"/{batch}")]
    by_id = {case.id: (case.power_limit_w, case.threads) for case in plan.cases}
    assert by_id[defaults(plan)[0]] == (400, 2)
    assert (plan.rounds, plan.max_rounds, len(plan.runnable())) == (10, 20, 6)


def test_default_is_measured_beside_the_values_that_lack_it() -> None:
    plan = make({"batch-size": (3, 5)}, rounds=4, **CNN)
    assert [case.batch_size for case in plan.cases if not case.sweep_default] == [3, 5]
    assert len(defaults(plan)) == 1
    chosen = make({"batch-size": (3, 5)}, batch_size=(5,), **CNN)
    assert [(case.batch_size, case.sweep_default) for case in chosen.cases] == [(3, False), (5, True)]


def test_each_task_and_framework_has_a_default_of_its_own() -> None:
    plan = make({"mode": ("compile", "graph", "eager")}, framework=("pytorch", "tensorflow"))
    assert [(case.framework, case.mode, case.sweep_default) for case in plan.cases] == [
        ("pytorch", "compile", False),
        ("pytorch", "eager", True),
        ("tensorflow", "graph", True),
        ("tensorflow", "eager", False),
    ]


def test_cases_that_cannot_be_measured_are_skipped_with_the_default_s_task() -> None:
    gpus = make({"clock": (1200, 1400)}, with_gpus(), device=("cuda:0",))
    assert sorted({case.clock_mhz or 0 for case in gpus.cases}) == [0, 1200, 1400]
    with pytest.raises(UsageError, match=r"nothing to sweep: .*no value differs from the default"):
        make({"threads": (2,)})
    with pytest.raises(UsageError, match=r"nothing to sweep: .*matmul takes batch size 1, not 2"):
        make({"batch-size": (1, 2)})
    with pytest.raises(UsageError, match="unknown precision"):
        make({"precision": ("fp32", "fp99")})


def test_tokens_of_responses_and_settings_stand_in_the_id_in_order() -> None:
    plan = make({"threads": (1, 2)}, **RESPONSES, prompt=16, new_tokens=4)
    assert [end.partition("+")[2] for end in ends(plan)] == [
        "new-tokens=4+prompt=16+threads=1",
        "new-tokens=4+prompt=16",
    ]


def test_batches_of_responses_that_do_not_fit_are_skipped() -> None:
    gpt2 = workloads()["gpt2"]
    room = int(gpt2.least_bytes(gpt2.sizes["small"], "response", 4, 4))
    plan = make({"batch-size": (1, 4, 4096)}, memory_bytes={"cpu": room}, batch_size=(1,), size=("small",), **RESPONSES)
    assert [(case.batch_size, case.reason_code == MEMORY) for case in plan.cases] == [
        (1, False),
        (4, False),
        (4096, True),
    ]


def test_options_that_contradict_a_sweep_are_refused() -> None:
    with pytest.raises(UsageError, match="--mode is the default that --over mode is compared with"):
        check_options(Settings(over={"mode": ("eager",)}, mode=("eager", "compile")))
    with pytest.raises(UsageError, match=r"mode=xla: no such mode here: pytorch has eager, compile"):
        check_options(Settings(over={"mode": ("eager", "xla")}, framework=("pytorch",)))
    check_options(Settings(over={"mode": ("eager", "xla")}))
    with pytest.raises(UsageError, match="400 combinations: at most 256"):
        check_options(Settings(over={"batch-size": tuple(range(1, 21)), "threads": tuple(range(1, 21))}))
