"""Every workload in every phase, framework, mode and precision that it claims: `pytest tests/workloads/every_mode.py`.

Not collected by itself: with the compilers it takes most of an hour. tox runs it as `modes`.
"""

from __future__ import annotations

import numpy as np
import pytest
from framework_process import FRAMEWORKS, MODES, Job, Processes

from workloads.registry import workloads

COMPILED = ("compile", "xla")
CASES = [
    (w.id, phase, framework, mode, precision)
    for framework in FRAMEWORKS
    for w in workloads().values()
    for phase in w.phases
    for mode in MODES[framework]
    for precision in ("fp32", "bf16", "fp16")
    if precision in w.precisions and (w.compiles or mode not in COMPILED)
]


@pytest.mark.parametrize(("workload", "phase", "framework", "mode", "precision"), CASES)
def test_runs(processes: Processes, workload: str, phase: str, framework: str, mode: str, precision: str) -> None:
    if framework == "pytorch" and precision == "fp16" and workload.startswith("seq2seq"):
        pytest.skip("oneDNN has no fp16 LSTM on this processor: PyTorch raises, and the case is a failed one")
    result = processes.run(Job(framework, workload, phase, mode=mode, precision=precision, steps=2))
    assert result.last
    for name, array in result.last.items():
        assert np.isfinite(array).all(), name
