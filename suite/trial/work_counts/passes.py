"""The stage of a trial that counts what one step does.

What is compiled follows from the first steps, of which every trial has the same number; all else, from one more step
for each instrument, on the same inputs. Neither depends on how many steps the window had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from joulemark.suite.records.work import COUNTS
from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks.prepared import Prepared
from joulemark.suite.trial.work_counts import STAGE, Counts, hardware


def measure(case: Prepared, compiled: Sequence[Mapping[str, float]], report: Callable[..., None]) -> None:
    """Report `work`, the fields of `records.Work`, each time that something more has been counted.

    Args:
        case: The case, which has been measured.
        compiled: What had been compiled after each of its first steps. The last of them is the one that is counted.
        report: Called with `stage` once, and with `work`.
    """
    report(stage=STAGE)
    adapter, inputs = case.adapter, case.ring[0]
    counts: dict[str, float | str] = {**compiled[-1]}
    if "graphs" in counts:
        counts["traces"] = compiled[-1]["graphs"] - compiled[-2]["graphs"]

    def step() -> object:
        return case.step(**inputs)

    with timing.garbage_collection_off():
        step()  # what came before, such as the norms of a training, may have left memory that a step frees
        for more in adapter.count_work(case.step, inputs):
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
