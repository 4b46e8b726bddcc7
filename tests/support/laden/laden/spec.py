"""One size with as many large matrix products as LADEN_PRODUCTS says, and one with three times as many in every other
process as in the others."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Size, Workload

WORKLOADS = (
    Workload(
        name="laden",
        title="matrix products",
        family="loads",
        item="step",
        paper="none",
        phases=("inference",),
        sizes={
            load: Size({"load": load}, {"cpu": 1, "cuda": 1}) for load in ("given", "restless", "tiny", "small", "base")
        },
        inputs=lambda size, phase, batch, generator: {
            "x": generator.standard_normal((batch, 256, 256), dtype=np.float32)
        },
        package="laden",
        flops=lambda size, phase: 2.0 * 8**3,
        bytes=lambda size, phase, batch, element: batch * 4.0 * 2 * 8**2,
    ),
)
