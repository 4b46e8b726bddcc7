"""Power limits of a processor's packages, through the constraints of Linux powercap.

`long_term` holds over seconds to minutes, `short_term` over milliseconds (Intel SDM vol. 3B, 15.10.3). Both are set:
a trial's window may be shorter than the first one's time. See Documentation/power/powercap/powercap.rst.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from joulemark.suite.limits.base import TOLERANCE_W, DeviceLimits, LimitError, LimitRefusedError, Target
from joulemark.suite.sensors.rapl.powercap import counted_zones, zones

CONSTRAINTS: Final = ("long_term", "short_term")
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


class RaplLimits(DeviceLimits):
    """All packages, each with the same limit."""

    def __init__(self, target: Target, originals: Mapping[str, Any] | None) -> None:
        root = Path(target.place)
        packages = [zone.path for zone in counted_zones(zones(root), psys=False) if zone.component == "package"]
        limits = [path for package in packages for path in _limit_files(package)]
        if not limits:
            raise LimitError(f"no processor package under {root} has a power limit (a virtual machine has none)")
        self._limits = limits
        switches = [path for package in packages if (path := package / "enabled").exists()]
        self.originals = originals or {"files": {str(path): _read(path) for path in (*limits, *switches)}}
        present_uw = int(self.originals["files"][str(limits[0])])
        self.present_w = max(1, round(present_uw / 1e6))
        highest_uw = max(present_uw, *(_highest_uw(path) for path in limits))
        self.power_range_w = 1, max(self.present_w, int(highest_uw / 1e6))

    def check(self) -> None:
        for path in self.originals["files"]:
            try:
                os.close(os.open(path, os.O_WRONLY))
            except OSError as error:
                raise _error(error, path) from None

    def set(self, power_limit_w: int | None, clock_mhz: int | None) -> dict[str, float]:  # noqa: ARG002
        is_original = power_limit_w is None or power_limit_w == self.present_w
        if is_original:
            for path, text in self.originals["files"].items():
                _write(path, text)
        else:
            for path in self.originals["files"]:
                _write(path, "1" if path.endswith("/enabled") else str((power_limit_w or 0) * 1_000_000))
        for path in self._limits:
            shown_w = int(_read(path)) / 1e6
            wanted_w = int(self.originals["files"][str(path)]) / 1e6 if is_original else float(power_limit_w or 0)
            if abs(shown_w - wanted_w) > TOLERANCE_W:
                raise LimitError(f"{path} shows {shown_w:g} W, not {wanted_w:g} W: the firmware may have locked it")
        return {"power_limit_w": int(_read(self._limits[0])) / 1e6}

    def restore(self) -> None:
        failed: dict[str, LimitError] = {}
        for path, text in self.originals["files"].items():
            try:
                _write(path, text)
            except LimitError as error:
                failed[path] = error
        if failed:
            by_hand = "; ".join(f"echo {self.originals['files'][path]} | sudo tee {path}" for path in failed)
            reasons = "; ".join(map(str, failed.values()))
            raise LimitError(f"the packages' limits could not be restored ({reasons}): {by_hand}")

    def close(self) -> None:
        """Nothing is held open."""


def _limit_files(package: Path) -> list[Path]:
    """Return the files of a package that hold its limits, the long-term one first."""
    names = {path: _read(path) for path in sorted(package.glob("constraint_*_name"))}
    chosen = sorted((path for path in names if names[path] in CONSTRAINTS), key=lambda p: CONSTRAINTS.index(names[p]))
    files = [path.with_name(path.name.removesuffix("_name") + "_power_limit_uw") for path in chosen]
    return [path for path in files if path.exists()]


def _highest_uw(limit: Path) -> int:
    """Return what a limit may be set to at most, microwatts; 0 where that is not known."""
    path = limit.with_name(limit.name.replace("_power_limit_uw", "_max_power_uw"))
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise _error(error, str(path)) from None


def _write(path: str, text: str) -> None:
    """Write a file in place, as sysfs has it; an unchanged value is left alone."""
    if _read(Path(path)) == text:
        return
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise _error(error, path) from None


def _error(error: OSError, path: str) -> LimitError:
    kind = LimitRefusedError if error.errno in _REFUSED else LimitError
    return kind(f"{path}: {error.strerror}")
