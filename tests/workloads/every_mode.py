"""Every workload in every phase, framework, mode and precision that it claims: `pytest tests/workloads/every_mode.py`.

Not collected by itself: the compilers take their time. tox runs it as `modes`, by two workers, a workload at a time;
`studies/modes.py` makes docs/modes.md of its JUnit file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
from framework_process import DEFAULT_MODE, MODES, PROOF_MODE, Job, Processes, Result, having
from proofs import check_cast, check_descent, check_outputs, check_same
from training_proofs import STEPS, agreement, overflows, reference_job, tolerances

from joulemark.suite.trial.frameworks import mode_class
from joulemark.workloads.registry import workloads

CASES = [
    pytest.param(w.id, phase, framework, mode, precision, marks=pytest.mark.xdist_group(w.id))
    for w in workloads().values()
    for framework in having(w)
    for phase in w.stepped_phases
    for mode in MODES[framework]
    for precision in ("fp32", "bf16", "fp16")
    if precision in w.precisions and (w.compiles or mode_class(framework, mode) != "compiled")
]
SMALL = [
    pytest.param(w.id, framework, precision, marks=pytest.mark.xdist_group(w.id))
    for w in workloads().values()
    if w.decreasing_output
    for framework in having(w)
    for precision in ("fp32", "bf16")
    if precision in w.precisions
]
DESCENT = 20
"""Steps in which an output falls."""


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """One process a framework, which compiles as for its users."""
    started = Processes()
    yield started
    started.close()


allowed = cache(tolerances)


@cache
def reference(processes: Processes, framework: str, workload: str, phase: str) -> Result:
    """Return what fp32 does in the mode of proofs."""
    if phase == "training":
        return processes.run(reference_job(framework, workload))
    return processes.run(Job(framework, workload, phase, mode=PROOF_MODE[framework], steps=2))


@pytest.mark.parametrize(("workload", "phase", "framework", "mode", "precision"), CASES)
def test_runs(
    processes: Processes,
    record_property: Callable[[str, object], None],
    workload: str,
    phase: str,
    framework: str,
    mode: str,
    precision: str,
) -> None:
    plain, spec = reference(processes, framework, workload, phase), workloads()[workload]
    job = Job(framework, workload, phase, mode=mode, precision=precision, steps=2)
    if phase != "training":
        result = processes.run(job)
    else:
        steps = DESCENT if spec.decreasing_output else STEPS
        first = overflows(precision, plain)
        result = processes.run(replace(job, steps=steps, steps_to_after=STEPS, overflows=first))
    check_outputs(result)
    if precision != "fp32":
        # how near outputs are is asked of one workload a family
        check_cast(plain, result)
    elif mode != PROOF_MODE[framework]:
        check_same(workload, phase, plain, result)
    if result.decreasing_output:
        check_descent(result)
    if phase == "training" and spec.optimizer:
        seen = agreement(plain, result, allowed(processes, workload, precision))
        for name, value in seen.figures().items():
            record_property(name, value)
        assert seen.differences() == []


@pytest.mark.parametrize(("workload", "framework", "precision"), SMALL)
def test_small_descends(
    processes: Processes, record_property: Callable[[str, object], None], workload: str, framework: str, precision: str
) -> None:
    mode = DEFAULT_MODE[framework]
    job = Job(framework, workload, "training", mode=mode, precision=precision, size="small", steps=DESCENT)
    result = processes.run(job)
    record_property("losses", " ".join(f"{value:.5g}" for value in result.decreasing_output))
    check_outputs(result)
    check_descent(result)
