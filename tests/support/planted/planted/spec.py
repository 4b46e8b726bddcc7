"""Two convolutions, attention and a softmax; a size for each fault."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Size, Workload

FAULTS = ("extra_operator", "extra_copy", "lost_fusion", "dropped_channels_last", "retraces")
EDGE, CHANNELS, WIDTH = 12, 3, 8


def _inputs(size, phase, batch, generator):
    """Return images; with `retraces`, another number of them in each batch."""
    count = int(generator.integers(1, 1000)) if size.fault == "retraces" else batch
    return {"images": generator.standard_normal((count, EDGE, EDGE, CHANNELS), dtype=np.float32)}


WORKLOADS = (
    Workload(
        name="planted",
        title="does more than it should",
        family="faults",
        item="image",
        paper="none",
        phases=("inference",),
        sizes={fault: Size({"fault": fault}, {"cpu": 4, "cuda": 4}) for fault in ("none", *FAULTS)},
        inputs=_inputs,
        package="planted",
        flops=lambda size, phase: 1.0,
        bytes=lambda size, phase, batch, element: 1.0,
    ),
)
