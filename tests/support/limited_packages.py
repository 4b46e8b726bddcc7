"""A powercap tree of two packages whose power can be limited, as Linux shows them."""

from __future__ import annotations

from pathlib import Path

import powercap
from powercap import FakeZone

PACKAGES = (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:1", "package-1"))
NAMES = ("constraint_0_power_limit_uw", "constraint_1_power_limit_uw", "constraint_2_power_limit_uw", "enabled")
PRESENT = [["150000000", "200000000", "400000000", "0"]] * len(PACKAGES)
"""The values of NAMES in each package."""


def zone_file(root: Path, number: int, name: str) -> Path:
    return powercap.device(root, f"intel-rapl:{number}") / name


def build(root: Path) -> Path:
    """Make packages with a limit of 150 W, which may be set to 205 W, and one of 200 W for a short time."""
    top = powercap.build(root, PACKAGES)
    kinds = {"constraint_0_name": "long_term", "constraint_1_name": "short_term", "constraint_2_name": "peak_power"}
    for number, present in enumerate(PRESENT):
        files = {**kinds, **dict(zip(NAMES, present, strict=True)), "constraint_0_max_power_uw": "205000000"}
        for name, text in files.items():
            zone_file(root, number, name).write_text(f"{text}\n")
    return top


def limits_of(root: Path) -> list[list[str]]:
    """Return the values of NAMES in each package."""
    return [[zone_file(root, number, name).read_text().strip() for name in NAMES] for number in range(len(PACKAGES))]
