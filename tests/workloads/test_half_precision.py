"""In bf16 and fp16, weights are in that precision once and for all, except in training, which is in mixed precision."""

from __future__ import annotations

import casts
import pytest
from framework_process import FRAMEWORKS, Job, Processes, having, prepare

from joulemark.workloads.registry import workloads

UNTRAINED = [
    (w.id, phase, framework)
    for w in workloads().values()
    if w.optimizer and "bf16" in w.precisions and w.id != "gpt2"
    for phase in w.stepped_phases
    if phase != "training"
    for framework in having(w)
]


def weights_cast(job: Job) -> set[str]:
    """Return the names of the kernels and tables that have the shape of a tensor that a step casts, transposed or not.

    Vectors are left out: norms of JAX compute in float32 with theirs, of shape (1, 1, C) as a class token has. Runs in
    the framework's process.
    """
    _, program, inputs = prepare(job)
    shapes = getattr(casts, f"in_{job.framework}")(program.step, inputs)
    return {
        name
        for name, weight in program.weights().items()
        if weight.size > max(weight.shape) and not shapes.isdisjoint({weight.shape, weight.shape[::-1]})
    }


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_are_cast_in_training_alone(processes: Processes, framework: str, precision: str) -> None:
    cast = {
        phase: processes.call(framework, weights_cast, Job(framework, "gpt2", phase, precision=precision)).result()
        for phase in ("training", "prefill", "generation")
    }
    assert {"blocks.0.qkv.kernel", "blocks.1.down.kernel"} <= cast["training"]
    assert cast["prefill"] == cast["generation"] == set()


@pytest.mark.parametrize(("workload", "phase", "framework"), UNTRAINED)
def test_no_other_workload_casts_one_without_training(
    processes: Processes, workload: str, phase: str, framework: str
) -> None:
    # Not the size's own batch, whose tokens are as many as `moe` is wide: rows of them would pass for a kernel.
    job = Job(framework, workload, phase, precision="bf16", batch=3)
    assert processes.call(framework, weights_cast, job).result() == set()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_batch_norms_keep_float32(processes: Processes, framework: str) -> None:
    """A running variance below fp16's smallest number, 6e-8, is kept; a kernel's number is not."""
    kept = processes.call(framework, smallest_kept, framework).result()
    assert kept == {"moving_variance": pytest.approx(1e-9), "kernel": 0.0}


def smallest_kept(framework: str) -> dict[str, float]:
    """Return what an fp16 program for inference keeps of weights of 1e-9. Runs in the framework's process."""
    _, program, _ = prepare(Job(framework, "cnn", "inference", precision="fp16"))
    program.load_weights({name: 0 * weight + 1e-9 for name, weight in program.weights().items()})
    weights = program.weights()
    return {
        leaf: next(float(weight.flat[0]) for name, weight in weights.items() if name.endswith(f".{leaf}"))
        for leaf in ("moving_variance", "kernel")
    }
