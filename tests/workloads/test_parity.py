"""Both frameworks do the same work: forward, every gradient and every update agree, and faults are seen."""

from __future__ import annotations

import pytest
from framework_process import Job, Processes
from proofs import disagreements, perturbed

from workloads.registry import workloads

CASES = [(w.id, phase) for w in workloads().values() for phase in w.phases]


def compare(processes: Processes, workload: str, phase: str, precision: str, fault: str | None = None) -> list[str]:
    """Disagreements of PyTorch's result with TensorFlow's, which may run a kit with a planted fault."""
    besides = tuple(workloads()[workload].substitutes)
    drawn = processes.run(Job("pytorch", workload, phase, steps=0)).before
    weights = perturbed(drawn)
    running = [
        processes.submit(
            Job(framework, workload, phase, precision=precision, steps=2, weights=weights, gradients=True, kit=kit)
        )
        for framework, kit in (("pytorch", None), ("tensorflow", fault))
    ]
    ours, theirs = (future.result() for future in running)
    return disagreements(ours, theirs, precision, besides)


@pytest.mark.parametrize("precision", ["fp64", "fp32"])
@pytest.mark.parametrize(("workload", "phase"), CASES)
def test_frameworks_agree(processes: Processes, workload: str, phase: str, precision: str) -> None:
    assert compare(processes, workload, phase, precision) == []


FAULTS = {
    "ZeroedGradient": "gradient blocks.0.conv.kernel",
    "LearningRateOnePercentOff": "update head.kernel",
    "KerasEpsilon": "gradient blocks.0.norm.beta",
    "KerasNormMomentum": "update blocks.0.norm.moving_mean",
    "NoMomentum": "update head.kernel",
    "KerasPadding": "output loss",
    "BiasedVariance": "update blocks.1.norm.moving_variance",
}


@pytest.mark.parametrize("precision", ["fp64", "fp32"])
@pytest.mark.parametrize(("fault", "seen"), FAULTS.items())
def test_planted_faults_are_seen(processes: Processes, fault: str, seen: str, precision: str) -> None:
    found = compare(processes, "cnn", "training", precision, f"faulty_kits:{fault}")
    assert any(line.startswith(seen) for line in found), found
