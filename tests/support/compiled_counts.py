"""What PyTorch's adapter counts of the steps of `planted`, compiled by Dynamo alone: Inductor takes seconds a step."""

from __future__ import annotations

import itertools
import sys
from types import SimpleNamespace

from places import SUPPORT

COUNTED = ("graph_nodes", "graphs", "graph_breaks", "traces")


def of_fault(fault: str) -> dict[str, float | str]:
    """Return the counts of Dynamo for a step with `fault`. Imports PyTorch."""
    import torch

    from joulemark.suite.trial.frameworks.adapter import Execution
    from joulemark.suite.trial.frameworks.pytorch_counts import count

    sys.path.insert(0, str(SUPPORT / "planted"))
    from planted.pytorch import build

    step = torch.compile(build(SimpleNamespace(fault=fault), "inference", None).step, dynamic=False, backend="eager")
    sizes = range(2, 6) if fault == "retraces" else [2]
    batches = itertools.cycle([torch.zeros(size, 12, 12, 3) for size in sizes])
    counts: dict[str, float | str] = {}
    for more in count(lambda: step(images=next(batches)), Execution("compile", "cpu", "fp32", threads=1)):
        counts |= more
    return {key: counts[key] for key in COUNTED}
