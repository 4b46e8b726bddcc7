"""Square matrix product (GEMM), the kernel in which deep learning spends most of its time."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Arrays, Phase, Size, Workload

_EDGES = {"tiny": 64, "small": 1024, "base": 4096, **{f"n{2**k}": 2**k for k in range(9, 14)}}


def inputs(size: Size, _phase: Phase, _batch: int, generator: np.random.Generator) -> Arrays:
    """Return two n x n matrices of standard normal numbers."""
    return {name: generator.standard_normal((size.n, size.n), np.float32) for name in ("a", "b")}


WORKLOADS = (
    Workload(
        name="matmul",
        title="square matrix product",
        family="kernels",
        item="matrix product",
        paper="Goto and van de Geijn 2008, https://doi.org/10.1145/1356052.1356053",
        phases=("inference",),
        sizes={name: Size({"n": n}, {"cpu": 1, "cuda": 1}) for name, n in _EDGES.items()},
        inputs=inputs,
        batched=False,
        flops=lambda size, _phase: 2.0 * size.n**3,
        bytes=lambda size, _phase, _batch, element: element * 3 * size.n**2,
    ),
)
