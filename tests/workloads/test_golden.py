"""Each framework returns what independent implementations return: `tests/data/golden`, made by `studies/golden`."""

from __future__ import annotations

from pathlib import Path

import pytest
from framework_process import PROOF_MODE, Job, Processes, having
from golden_values import DATA, TOLERANCE, differences, draw, oriented, read

from joulemark.workloads.registry import workloads

FILES = sorted(DATA.glob("*.json"))
WITHOUT: dict[str, str] = {
    "initialization.he-inference": "random numbers: their moments, test_substitutes.py",
    "initialization.glorot-inference": "random numbers: their moments, test_substitutes.py",
    "input_pipeline-inference": "a data set made on the spot: test_input_pipeline.py",
    "input_pipeline.jpeg-inference": "files made on the spot: test_input_pipeline.py",
}
"""Phases without golden values, `workload-phase`, and where they are proved instead."""
SINGLE_CONSTANTS = {("tensorflow", workload): 1e-7 for workload in ("activation.gelu", "bert", "dcgan", "gpt2", "vit")}
"""Tolerances where tf.nn.gelu and tf.nn.leaky_relu of TensorFlow 2.21 round constants to float32, by 2^-24 or 6e-8 at
most, before they cast them to float64."""


CASES = [
    pytest.param(path, framework, id=f"{path.stem}-{framework}")
    for path in FILES
    for framework in having(workloads()[read(path)[0].workload])
]


@pytest.mark.parametrize(("path", "framework"), CASES)
def test_values_are_those_of_an_independent_implementation(processes: Processes, path: Path, framework: str) -> None:
    golden, kept = read(path)
    weights, inputs = draw(golden)
    job = Job(
        framework,
        golden.workload,
        golden.phase,
        mode=PROOF_MODE[framework],
        precision="fp64",
        steps=golden.steps,
        weights=weights,
        inputs=inputs,
        gradients=True,
    )
    result = processes.run(job)
    outputs = oriented(result.last) if golden.workload == "pca" else result.last
    assert {name: list(array.shape) for name, array in result.before.items()} == golden.weights
    tolerance = SINGLE_CONSTANTS.get((framework, golden.workload), TOLERANCE)
    assert [
        *differences("output", outputs, kept["outputs"], tolerance),
        *differences("gradient", result.gradients, kept["gradients"], tolerance),
        *differences("after", result.after, kept["after"], tolerance),
    ] == []
    assert result.last.keys() == kept["outputs"].keys()
    assert set(result.gradients) == set(kept["gradients"])


def test_each_phase_of_each_workload_has_golden_values() -> None:
    kept = {path.stem for path in FILES}
    assert kept | set(WITHOUT) == {f"{w.id}-{phase}" for w in workloads().values() for phase in w.stepped_phases}
    assert kept.isdisjoint(WITHOUT)
