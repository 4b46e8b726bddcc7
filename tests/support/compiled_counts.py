"""What PyTorch's adapter counts of the steps of `planted`, compiled by Dynamo alone: Inductor takes seconds a step."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from places import SUPPORT


def of_fault(fault: str) -> dict[str, float]:
    """Return what Dynamo has compiled after four calls of a step with `fault`. Imports PyTorch."""
    import torch

    from joulemark.suite.trial.frameworks.pytorch_counts import compiled

    sys.path.insert(0, str(SUPPORT / "planted"))
    from planted.pytorch import build

    step = torch.compile(build(SimpleNamespace(fault=fault), "inference", None).step, dynamic=False, backend="eager")
    before = compiled(cuda=False)
    for size in range(2, 6) if fault == "retraces" else [2] * 4:
        step(images=torch.zeros(size, 12, 12, 3))
    after = compiled(cuda=False)
    torch.compiler.reset()
    return {key: after[key] - before[key] for key in after}
