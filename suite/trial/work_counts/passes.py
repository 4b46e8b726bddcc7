"""The stage of a trial that counts what one step does.

The program is built once more, in the same process, and called a fixed number of times: whatever is counted then
follows from the code alone, and not from how many steps the window had.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from joulemark.suite.records.work import COUNTS
from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks.adapter import Adapter
from joulemark.suite.trial.frameworks.prepared import rebuilt
from joulemark.suite.trial.request import Request
from joulemark.suite.trial.work_counts import STAGE, Counts, hardware


def measure(adapter: Adapter, request: Request, report: Callable[..., None]) -> None:
    """Report `work`, the fields of `records.Work`, each time that something more has been counted.

    Args:
        adapter: The trial's framework. The program that was measured should be gone: this one needs as much memory.
        request: What the trial was asked for.
        report: Called with `stage` once, and with `work`.
    """
    report(stage=STAGE)
    gc.collect()
    case = rebuilt(adapter, request)
    step = case.stepper()
    counts: dict[str, float | str] = {}
    with timing.garbage_collection_off():
        for more in adapter.count_work(step, case.ring[0]):
            counts |= more
            report(work=_fields(counts))
        counts |= hardware.count(step, adapter.synchronize)
    report(work=_fields(counts))


def _fields(counts: Counts) -> dict[str, Any]:
    """Return the fields of `records.Work`."""
    return {
        "counts": {
            key: {"unit": COUNTS[key].unit, **({"value": None, "reason": n} if isinstance(n, str) else {"value": n})}
            for key, n in counts.items()
        }
    }
