"""Packages and dies of the CPU, named like powercap's zones: `package-0`, `package-0-die-1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def scopes(root: Path, processors: Sequence[int]) -> dict[int, str]:
    """Return the scope of each of `processors`: its package, or its die if the package has several of them.
    `root` is Linux's /sys/devices/system/cpu."""
    packages = {processor: _read_id(root, processor, "physical_package_id") for processor in processors}
    counts = Counter(packages.values())
    return {
        processor: f"package-{package}-die-{_read_id(root, processor, 'die_id')}"
        if counts[package] > 1
        else f"package-{package}"
        for processor, package in packages.items()
    }


def _read_id(root: Path, processor: int, name: str) -> str:
    try:
        return (root / f"cpu{processor}" / "topology" / name).read_text().strip()
    except OSError:
        return str(processor)


def socket(scope: str) -> str:
    """Return the package of `scope`: `package-0-die-1` -> `package-0`."""
    return scope.partition("-die-")[0]
