"""Each framework's side uses the idioms that make it fast: `idioms.toml` has them, a step's operators show them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from framework_process import Processes
from idioms import STEPS, UPDATED, Observed, count_graphs, observe

from joulemark.workloads.registry import workloads

TABLE = tomllib.loads(Path(__file__).with_name("idioms.toml").read_text(encoding="utf-8"))
WORKLOADS = workloads()
FRAMEWORKS = ("pytorch", "tensorflow")
"""Those whose kernels are chosen by the program: XLA chooses JAX's."""
# A training step contains the forward pass of these.
CONTAINED = ("forward", "inference")
CASES = [
    (w.id, phase)
    for w in WORKLOADS.values()
    for phase in w.stepped_phases
    if w.compiles and (phase not in CONTAINED or "training" not in w.phases)
]


@dataclass(frozen=True)
class Claim:
    """A table of `idioms.toml`, which describes its fields."""

    claim: str
    workloads: Sequence[str]
    kit: Sequence[str] = ()
    phases: Sequence[str] = ()
    step: Sequence[str] = ()
    backward: Sequence[str] = ()
    never: Sequence[str] = ()

    def concerns(self, workload: str, phase: str) -> bool:
        """Return whether a phase of a workload relies on the claim."""
        groups = TABLE["groups"]
        named = {id for name in self.workloads for id in groups.get(name, [name])}
        return ("all" in named or workload in named) and (not self.phases or phase in self.phases)

    def broken(self, observed: Observed, phase: str) -> list[str]:
        """Return a line for each operator that is missing, or there though it must not be."""
        needed = [*self.step, *(self.backward if phase == "training" else ())]
        missing = [f"{self.claim}: no {name}" for name in needed if not observed.operators.get(name)]
        return missing + [f"{self.claim}: {name}" for name in self.never if observed.operators.get(name)]


CLAIMS = {framework: [Claim(**table) for table in TABLE[framework]] for framework in FRAMEWORKS}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("workload", "phase"), CASES)
def test_a_step_is_made_as_claimed(processes: Processes, framework: str, workload: str, phase: str) -> None:
    observed = processes.call(framework, observe, framework, workload, phase).result()
    claims = [each for each in CLAIMS[framework] if each.concerns(workload, phase)]
    assert [line for each in claims for line in each.broken(observed, phase)] == []
    relying = {each.claim for each in CLAIMS[framework] if not observed.asked.isdisjoint(each.kit)}
    assert relying == {each.claim for each in claims if each.kit}, "workloads of idioms.toml"
    if phase == "training":
        assert observed.operators.get(UPDATED, 0) == (observed.trainable if WORKLOADS[workload].optimizer else 0)


def test_the_table_names_workloads() -> None:
    named = {id for framework in FRAMEWORKS for each in CLAIMS[framework] for id in each.workloads}
    assert named - {"all", *TABLE["groups"]} <= set(WORKLOADS)
    assert {id for ids in TABLE["groups"].values() for id in ids} <= set(WORKLOADS)


GRAPHS = [(framework, case, count) for framework in FRAMEWORKS for case, count in TABLE["graphs"][framework].items()]


@pytest.mark.parametrize(("framework", "case", "count"), GRAPHS)
def test_the_first_step_makes_all_graphs(processes: Processes, framework: str, case: str, count: int) -> None:
    counts = processes.call(framework, count_graphs, framework, *case.split("/")).result()
    assert counts == [count] * STEPS
