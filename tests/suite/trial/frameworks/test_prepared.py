"""The ring of batches: how many, the same every time, and in turn. No framework is needed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from joulemark.suite.trial.frameworks.prepared import Prepared, batches
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Program

MIB = 1 << 20


def ring(workload: str, phase: str = "inference", seed: int = 1) -> list[dict[str, np.ndarray]]:
    spec = workloads()[workload]
    size = spec.sizes["tiny"]
    return [dict(arrays) for arrays in batches(spec, size.at(2), phase, 2, seed)]


def test_each_batch_is_another_and_the_same_in_every_trial() -> None:
    first, second = ring("mlp", "training"), ring("mlp", "training")
    assert len(first) == 16
    assert len({arrays["images"].tobytes() for arrays in first}) == 16
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(first, second, strict=True) for name in a)
    assert not np.array_equal(first[0]["images"], ring("mlp", seed=2)[0]["images"])


@pytest.mark.parametrize(("mebibytes", "count"), [(0, 1), (1, 16), (64, 16), (100, 10), (256, 4), (600, 4)])
def test_as_many_batches_as_fit_one_gibibyte_but_at_least_four(mebibytes: int, count: int) -> None:
    def inputs(*_anything: Any) -> dict[str, np.ndarray]:
        # repeats one number: takes no memory
        return {"x": np.broadcast_to(np.float32(1), mebibytes * MIB // 4)} if mebibytes else {}

    workload = replace(workloads()["stream"], inputs=inputs)
    assert len(list(batches(workload, workload.sizes["tiny"], "inference", 1, 1))) == count


def test_steps_take_the_batches_in_turn() -> None:
    def step(x: int) -> dict[str, int]:
        return {"x": x}

    case: Any = Prepared(None, None, Program(step), step, tuple({"x": i} for i in range(3)), 0, 1, 0.0)  # type: ignore[arg-type]
    for _ in range(2):
        next_step = case.stepper()
        assert [next_step()["x"] for _ in range(5)] == [0, 1, 2, 0, 1]
