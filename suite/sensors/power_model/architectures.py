"""Which processors are of one architecture: by the numbers that they show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_X86: Mapping[tuple[str, int], tuple[tuple[range, str], ...]] = MappingProxyType(
    {
        ("GenuineIntel", 6): (
            (range(0x2D, 0x2E), "Sandy Bridge-EP"),
            (range(0x3E, 0x3F), "Ivy Bridge-EP"),
            (range(0x3F, 0x40), "Haswell-EP"),
            (range(0x4F, 0x50), "Broadwell-EP"),
            (range(0x55, 0x56), "Skylake-SP"),
            (range(0x6A, 0x6B), "Ice Lake-SP"),
            (range(0x8F, 0x90), "Sapphire Rapids"),
            (range(0xCF, 0xD0), "Emerald Rapids"),
            (range(0xAD, 0xAE), "Granite Rapids"),
            (range(0xAF, 0xB0), "Sierra Forest"),
        ),
        ("AuthenticAMD", 0x17): ((range(0x08), "EPYC 7001"), (range(0x30, 0x40), "EPYC 7002")),
        ("AuthenticAMD", 0x19): (
            (range(0x10), "EPYC 7003"),
            (range(0x10, 0x20), "EPYC 9004"),
            (range(0xA0, 0xB0), "EPYC 9004"),
        ),
        ("AuthenticAMD", 0x1A): ((range(0x20), "EPYC 9005"),),
    }
)
"""By vendor and family: models (Linux arch/x86/include/asm/intel-family.h; AMD's processor programming references).
Dense variants (Bergamo, Turin Dense) are of their generation. Bergamo's numbers are those of the small EPYC 8004 too,
which are told apart by their names, where these are shown: clouds sell the former."""
_CASCADE_LAKE, _COOPER_LAKE = range(5, 8), range(10, 12)
"""Steppings of model 0x55 (Linux arch/x86/kernel/cpu/bugs.c and drivers/edac)."""
_ARM = MappingProxyType({(0x41, 0xD0C): "Neoverse N1"})
"""By implementer and part (Linux arch/arm64/include/asm/cputype.h)."""
_SIENA = re.compile(r"EPYC 8\w\w4", re.IGNORECASE)
_NOT_SERVERS = re.compile(r"Ryzen|Threadripper|Core\(TM\)|Pentium|Celeron", re.IGNORECASE)


def architecture_of(name: str, numbers: tuple[str, int, int, int] | None) -> str | None:
    """Return the architecture by the numbers of /proc/cpuinfo; None where they or `name` are not of a server.

    Hypervisors hide the name of the processor (`AMD EPYC`, `Intel Xeon Processor`) more often than its numbers.
    """
    if numbers is None or _NOT_SERVERS.search(name):
        return None
    vendor, family, model, stepping = numbers
    if vendor.startswith("0x"):
        return _ARM.get((int(vendor, 0), model))
    generations = _X86.get((vendor, family), ())
    architecture = next((label for models, label in generations if model in models), None)
    if architecture == "EPYC 9004" and _SIENA.search(name):
        return "EPYC 8004"
    if architecture == "Skylake-SP" and stepping in _CASCADE_LAKE:
        return "Cascade Lake"
    return "Cooper Lake" if architecture == "Skylake-SP" and stepping in _COOPER_LAKE else architecture
