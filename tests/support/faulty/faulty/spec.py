"""A workload with one size for each fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from joulemark.workloads.spec import Size, Workload

FAULTS = (
    *("none", "sleep", "sleeps_20_ms", "sleeps_60_ms", "segfault", "killed", "memory", "allocates_1_gib"),
    *("hang", "hang_uninterruptibly", "grandchild", "daemon", "prints", "nan", "exits", "by_precision"),
    *("raises_at_load", "raises_at_first", "raises_in_warmup", "raises_in_window", "raises_in_norms", "drifts"),
    *("raises_when_profiled", "retraces", "hangs_in_turn", "dies_in_turn", "resident", "needs_memory"),
    *("rank_sleeps", "rank_raises", "rank_killed", "none_of_ranks"),
    *("gpu_busy", "gpu_waits", "gpu_waits_then_raises", "gpu_waits_then_dies", "gpu_waits_then_hangs"),
)

_FAULTY = Workload(
    name="faulty",
    title="misbehaves",
    family="faults",
    item="step",
    paper="none",
    phases=("inference",),
    sizes={fault: Size({"fault": fault}, {"cpu": 1, "cuda": 1}) for fault in (*FAULTS, "base")},
    inputs=lambda size, phase, batch, generator: {"x": generator.standard_normal((batch, 4), dtype=np.float32)},
    package="faulty",
    flops=lambda size, phase: 1.0,
    bytes=lambda size, phase, batch, element: 1.0,
)

WORKLOADS = (_FAULTY, replace(_FAULTY, name="unbatched", batched=False))
