"""Scaling of a large array: the memory bandwidth that a framework reaches, for the roofline."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Arrays, Phase, Size, Workload


def inputs(size: Size, _phase: Phase, _batch: int, generator: np.random.Generator) -> Arrays:
    """Return an array of standard normal numbers."""
    return {"x": generator.standard_normal(size.n, np.float32)}


WORKLOADS = (
    Workload(
        name="stream",
        title="scaling of a large array",
        family="kernels",
        item="array",
        paper="McCalpin 1995, STREAM's scale, https://www.cs.virginia.edu/stream/",
        phases=("inference",),
        # Larger than the last-level cache, as STREAM's rules ask: 64 MB and 256 MB.
        sizes={
            name: Size({"n": n}, {"cpu": 1, "cuda": 1})
            for name, n in {"tiny": 2**16, "small": 2**24, "base": 2**26}.items()
        },
        inputs=inputs,
        batched=False,
        flops=lambda size, _phase: float(size.n),
        bytes=lambda size, _phase, _batch, element: element * 2 * size.n,
    ),
)
