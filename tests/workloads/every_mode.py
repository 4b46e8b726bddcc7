"""Every workload in every phase, framework, mode and precision that it claims: `pytest tests/workloads/every_mode.py`.

Not collected by itself: the compilers take their time. tox runs it as `modes`, by two workers, a workload at a time;
`studies/modes.py` makes docs/modes.md of its JUnit file.
"""

from __future__ import annotations

import pytest
from framework_process import FRAMEWORKS, MODES, Job, Processes
from proofs import check_cast, check_outputs, check_same

from joulemark.workloads.registry import workloads

COMPILED = ("compile", "xla")
CASES = [
    pytest.param(w.id, phase, framework, mode, precision, marks=pytest.mark.xdist_group(w.id))
    for w in workloads().values()
    for framework in FRAMEWORKS
    for phase in w.phases
    for mode in MODES[framework]
    for precision in ("fp32", "bf16", "fp16")
    if precision in w.precisions and (w.compiles or mode not in COMPILED)
]


@pytest.mark.parametrize(("workload", "phase", "framework", "mode", "precision"), CASES)
def test_runs(processes: Processes, workload: str, phase: str, framework: str, mode: str, precision: str) -> None:
    result = processes.run(Job(framework, workload, phase, mode=mode, precision=precision, steps=2))
    check_outputs(result)
    plain = processes.run(Job(framework, workload, phase, steps=2))
    if precision != "fp32":
        # how near they are is asked of one workload a family
        check_cast(plain, result)
    elif mode != "eager":
        check_same(workload, phase, plain, result)
