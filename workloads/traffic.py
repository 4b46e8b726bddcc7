"""Memory traffic of a step whose operators are not fused, as counted by `python -m studies.traffic`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from joulemark.workloads.counting import of_response
from joulemark.workloads.errors import BrokenPackageError
from joulemark.workloads.spec import Phase, Workload

DATA = Path(__file__).with_suffix(".json")
"""Key -> bytes of an element -> bytes of a step that do not depend on the batch, and bytes of each sample."""


def key(workload: str, size: str, phase: str) -> str:
    """Return the key of a workload's size and phase in the data."""
    return f"{workload}:{size}/{phase}"


def unfused_bytes(workload: Workload, size: str, phase: Phase, batch: int, element: int) -> float | None:
    """Return the bytes of one item that a step moves where each operator reads its inputs and writes its outputs once.

    Args:
        workload: Where it has a formula of its own, that is used.
        size: Name of its size.
        phase: Phase.
        batch: Batch size.
        element: Bytes of an element in the case's precision.

    Returns:
        None where nobody has counted them.

    Raises:
        BrokenPackageError: a formula gives less than the compulsory bytes.
    """
    preset = workload.sizes[size]
    if workload.unfused_bytes is not None:
        unfused, least = (count(preset, phase, batch, element) for count in (workload.unfused_bytes, workload.bytes))
        if unfused < least:
            raise BrokenPackageError(
                f"workload {workload.id} moves at least {least:g} bytes an item in {phase} at size {size}, and less, "
                f"{unfused:g}, without fusion. Correct `bytes` or `unfused_bytes` in {workload.module}.spec."
            )
        return unfused
    if phase == "response":
        prefill, step = (unfused_bytes(workload, size, part, batch, element) for part in ("prefill", "generation"))
        return None if prefill is None or step is None else of_response(preset, prefill, step)
    counted = _counts().get(key(workload.id, size, phase), {}).get(str(element))
    if counted is None:
        return None
    fixed, per_sample = counted
    return (fixed / batch + per_sample) / workload.items_per_sample(preset, phase)


@cache
def _counts() -> dict[str, dict[str, tuple[int, int]]]:
    counts: dict[str, dict[str, tuple[int, int]]] = json.loads(DATA.read_text(encoding="utf-8"))
    return counts
