"""One size."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Size, Workload

WORKLOADS = (
    Workload(
        name="leaning",
        title="leans on a library",
        family="leaning",
        item="step",
        paper="none",
        phases=("inference",),
        sizes={"tiny": Size({}, {"cpu": 1, "cuda": 1})},
        inputs=lambda size, phase, batch, generator: {"x": generator.standard_normal((batch, 4), dtype=np.float32)},
        package="leaning",
        flops=lambda size, phase: 1.0,
        bytes=lambda size, phase, batch, element: 1.0,
    ),
)
