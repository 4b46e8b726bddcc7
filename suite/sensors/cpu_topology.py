"""Processor packages of several dies: what their counters are called, and which of them show one register."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

MIRROR_CHECKS = 10
PAUSE_S = 0.01
"""Between two checks: ten updates of RAPL."""


def scopes(root: Path, processors: Sequence[int]) -> dict[int, str]:
    """What each of `processors`, one for each counter, stands for: its package or, where that has several counters, its
    die. Named like powercap's zones."""
    packages = {processor: _topology(root, processor, "physical_package_id") for processor in processors}
    several = {package for package, count in Counter(packages.values()).items() if count > 1}
    return {
        processor: f"package-{package}-die-{_topology(root, processor, 'die_id')}"
        if package in several
        else f"package-{package}"
        for processor, package in packages.items()
    }


def _topology(root: Path, processor: int, name: str) -> str:
    try:
        return (root / f"cpu{processor}" / "topology" / name).read_text().strip()
    except OSError:
        return str(processor)


def is_same_counter(
    first: Callable[[], int | None], second: Callable[[], int | None], apart: float = float("inf")
) -> bool:
    """Whether two counters count up one register: they then always stand equally far apart, and a read of one between
    two reads of the other never shows otherwise.

    `apart`: what they may differ by at most; infinity where each counts from its own opening.
    """
    least, most = -apart, apart
    for _ in range(MIRROR_CHECKS):
        before, between, after = first(), second(), first()
        if before is None or between is None or after is None:
            return False
        least, most = max(least, before - between), min(most, after - between)
        if least > most:
            return False
        time.sleep(PAUSE_S)
    return True


def socket(scope: str) -> str:
    """`package-0-die-1` -> `package-0`."""
    return scope.partition("-die-")[0]
