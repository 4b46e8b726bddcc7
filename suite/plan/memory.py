"""Whether a case fits into its device's memory, which is known before anything runs, and what would fit."""

from __future__ import annotations

from joulemark.suite.units import quantity
from joulemark.workloads.spec import ELEMENT_BYTES, Phase, Size, Workload

MEMORY = "memory"
"""Reason code of a case that needs more memory than its device has."""


def memory_refusal(
    workload: Workload, size: Size, phase: Phase, batch: int, precision: str, available: int | None
) -> str | None:
    """Return why a case cannot fit into the `available` bytes of its device, and what can; None where it may.

    What it needs is a lower bound (`Workload.least_bytes`). None too where the device does not tell its memory.
    """
    needed = workload.least_bytes(size, phase, batch, ELEMENT_BYTES[precision])
    if available is None or needed <= available:
        return None
    parts = "weights, gradients, optimizer and activations" if phase == "training" else "weights and caches"
    return (
        f"{workload.id} needs at least {quantity(needed, 'B')} for {parts}, and the device has "
        f"{quantity(available, 'B')}: {_what_fits(workload, size, phase, batch, precision, available)}"
    )


def _what_fits(workload: Workload, size: Size, phase: Phase, batch: int, precision: str, available: int) -> str:
    """Return a smaller batch, else a size, that has room."""

    def fits(preset: Size, samples: int) -> bool:
        return workload.least_bytes(preset, phase, samples, ELEMENT_BYTES[precision]) <= available

    if workload.batched and fits(size, 1):
        # By halves: the need grows with the batch.
        fitting, beyond = 1, batch
        while beyond - fitting > 1:
            middle = (fitting + beyond) // 2
            fitting, beyond = (middle, beyond) if fits(size, middle) else (fitting, middle)
        return f"batch size {fitting} has room"
    sizes = [name for name, preset in workload.sizes.items() if fits(preset, 1)]
    return f"size {sizes[-1]} has room" if sizes else "no size of it has room"
