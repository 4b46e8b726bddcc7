"""docs/modes.md is what the kept run says, and the kept run has every workload."""

from __future__ import annotations

import json

import training_proofs
from places import ROOT
from proofs import falls

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.workloads.registry import workloads
from studies.modes_page import document, small_cases

RUN = json.loads((ROOT / "docs" / "results" / "modes.json").read_text())

SEEN = {name for name, each in FRAMEWORKS.items() if each.distributions[0] in RUN["versions"]}
"""Frameworks of the run. The page counts the cases of others as not run."""


def test_page_is_that_of_the_run() -> None:
    assert (ROOT / "docs" / "modes.md").read_text() == document(RUN)


def test_no_workload_is_missing_and_none_failed() -> None:
    seen = {tuple(name.split("/")[:2]) for name in RUN["cases"]}
    assert seen == {(workload.id, phase) for workload in workloads().values() for phase in workload.stepped_phases}
    assert {case["outcome"] for kind in ("cases", "small") for case in RUN[kind].values()} == {"passed"}


def test_each_training_at_size_small_was_run_and_its_loss_falls() -> None:
    assert set(RUN["small"]) == {name for name in small_cases() if name.split("/")[1] in SEEN}
    assert [name for name, case in RUN["small"].items() if not falls(case["losses"])] == []


def test_page_tells_what_the_run_has_not_done() -> None:
    text = document({**RUN, "small": {}})
    assert f"{len(small_cases())} of {len(small_cases())} cases were not run" in text


def test_every_training_was_compared_with_eager_fp32() -> None:
    trained = {workload.id for workload in workloads().values() if workload.optimizer}
    trainings = {name for name in RUN["cases"] if "/training/" in name and name.split("/")[0] in trained}
    assert trainings == {name for name, case in RUN["cases"].items() if "training" in case}


def test_page_states_the_tolerances_of_the_tests() -> None:
    text = " ".join(document(RUN).split())
    half, full = training_proofs.FACTOR["bf16"], training_proofs.AT_ONCE["fp32"]
    assert f"After {training_proofs.STEPS} steps" in text
    assert f"The tolerance is {half:g} times that distance" in text
    assert f"In fp32 each number is moved by up to {full:g} roundings at once" in text
    assert {"fp32": training_proofs.FACTOR["fp32"], "bf16": 1, "fp16": 1} == training_proofs.AT_ONCE
    assert training_proofs.COMPARABLE == 0.5
    assert training_proofs.UNIT == {"fp32": 2**-24, "bf16": 2**-8, "fp16": 2**-11}
