"""docs/modes.md is what the kept run says, and the kept run has every workload."""

from __future__ import annotations

import json

import training_proofs
from places import ROOT

from joulemark.workloads.registry import workloads
from studies.modes_page import document, small_cases

RUN = json.loads((ROOT / "docs" / "results" / "modes.json").read_text())


def test_page_is_that_of_the_run() -> None:
    assert (ROOT / "docs" / "modes.md").read_text() == document(RUN)


def test_no_workload_is_missing_and_none_failed() -> None:
    seen = {tuple(name.split("/")[:2]) for name in RUN["cases"]}
    assert seen == {(workload.id, phase) for workload in workloads().values() for phase in workload.phases}
    assert {case["outcome"] for kind in ("cases", "small") for case in RUN[kind].values()} == {"passed"}


def test_page_tells_what_the_run_has_not_done() -> None:
    text = document({**RUN, "small": {}, "cases": {name: {"outcome": "passed", "s": 1.0} for name in RUN["cases"]}})
    assert f"{len(small_cases())} of {len(small_cases())} cases were not run" in text
    trained = {workload.id for workload in workloads().values() if workload.optimizer}
    trainings = [name for name in RUN["cases"] if "/training/" in name and name.split("/")[0] in trained]
    assert f"did not compare the updates of {len(trainings)} trainings" in text


def test_page_states_the_tolerances_of_the_tests() -> None:
    text = " ".join(document(RUN).split())
    half, full = (training_proofs.FACTOR[precision] for precision in ("bf16", "fp32"))
    assert f"After {training_proofs.STEPS} steps" in text
    assert f"The tolerance is {half:g} times that distance" in text
    assert f"In fp32 it is {full:g} times" in text
    assert training_proofs.COMPARABLE == 0.5
    assert training_proofs.UNIT == {"fp32": 2**-24, "bf16": 2**-8, "fp16": 2**-11}
