"""FLOPs of workloads whose elements are counted too, against a count of each kernel of a step."""

from __future__ import annotations

import pytest
from framework_process import Job, Processes, prepare

from joulemark.workloads.registry import workloads

WORKLOADS = workloads()
COUNTED = [
    ("stream", "inference"),
    ("batchnorm", "inference"),
    ("batchnorm", "training"),
    ("layernorm", "inference"),
    ("layernorm", "training"),
    ("tsne", "training"),
    ("umap", "training"),
]


def count(workload: str, phase: str) -> int:
    """Return the operations of one step at size `small`. Runs in PyTorch's process."""
    from operation_counter import count_operations

    _, program, inputs = prepare(Job("pytorch", workload, phase, size="small"))
    return count_operations(lambda: program.step(**inputs))


@pytest.mark.parametrize(("workload", "phase"), COUNTED)
def test_flops_agree_with_a_count_of_kernels(processes: Processes, workload: str, phase: str) -> None:
    """Within half a percent: what grows with rows or channels alone is left out of the formulas."""
    spec = WORKLOADS[workload]
    size = spec.sizes["small"]
    items = size.batch_size["cpu"] * spec.items_per_sample(size, phase)
    counted = processes.call("pytorch", count, workload, phase).result() / items
    assert spec.flops(size, phase) == pytest.approx(counted, rel=0.005)
