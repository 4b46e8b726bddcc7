"""One size whose work is LADEN_TIMES times as much, and one whose work is thrice as much in every other process."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Size, Workload

WORKLOADS = (
    Workload(
        name="laden",
        title="a chain of matrix products",
        family="loads",
        item="step",
        paper="none",
        phases=("inference",),
        sizes={
            load: Size({"load": load}, {"cpu": 1, "cuda": 1}) for load in ("given", "restless", "tiny", "small", "base")
        },
        inputs=lambda size, phase, batch, generator: {
            "x": generator.standard_normal((batch, 128, 128), dtype=np.float32)
        },
        package="laden",
        flops=lambda size, phase: 8 * 2.0 * 128**3,
        bytes=lambda size, phase, batch, element: batch * 4.0 * 2 * 128**2,
    ),
)
