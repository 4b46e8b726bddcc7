"""Read the published results that the study of the power model rests on, from the files of those who publish them.

docs/power.md says where they are. Nothing of them is kept here but statistics.
"""

from __future__ import annotations

import csv
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, geometric_mean

from joulemark.suite.sensors.power_model.rated_power import short_name

MEASURED = ("8124M", "8151", "8175M", "8252C", "8259CL", "8275CL")
"""Processors of the hosts that Teads measured; the other rows are these or the rated power times one of two curves."""
HOST_LOADS = {"Idle": 0.0, "10%": 0.1, "50%": 0.5, "100%": 1.0}
LEVELS = range(0, 101, 10)
PROFILES = {
    "AMD_EPYC_8024P_8C": ("EPYC 8024P", 90),
    "AMD_Threadripper": ("Threadripper 1950X", 180),
    "E3-1240": ("Xeon E3-1240 v2", 69),
    "E5-1240": ("another E3-1240 v2", 69),
    "E5-2620": ("2 x Xeon E5-2620 v3", 2 * 85),
}
"""The machines of codecarbon's profiles, by folder: processors, and what all of them are rated at, watts."""
_NAMES = tuple(
    (re.compile(pattern, re.IGNORECASE), architecture)
    for pattern, architecture in (
        (r"EPYC 7\w\w1\w?", "EPYC 7001"),
        (r"EPYC 7\w\w2\w?", "EPYC 7002"),
        (r"EPYC 7\w\w3\w?", "EPYC 7003"),
        (r"EPYC 9\w\w4\w*", "EPYC 9004"),
        (r"EPYC 8\w\w4\w*", "EPYC 8004"),
        (r"EPYC 9\w\w5\w*", "EPYC 9005"),
        (r"Xeon E5-\d{4}L?", "Sandy Bridge-EP"),
        (r"Xeon E[57]-\d{4}L? v2", "Ivy Bridge-EP"),
        (r"Xeon E[57]-\d{4}L? v3", "Haswell-EP"),
        (r"Xeon E[57]-\d{4}L? v4", "Broadwell-EP"),
        (r"Xeon (?:Bronze|Silver|Gold|Platinum) \d1\d\d\w*", "Skylake-SP"),
        (r"Xeon (?:Bronze|Silver|Gold|Platinum) \d2\d\d\w*", "Cascade Lake"),
        (r"Xeon (?:Gold|Platinum) \d3\d\dHL?", "Cooper Lake"),
        (r"Xeon (?:Silver|Gold|Platinum) \d3\d\d\w*", "Ice Lake-SP"),
        (r"Xeon (?:Bronze|Silver|Gold|Platinum) \d4\d\d\w*\+?", "Sapphire Rapids"),
        (r"Xeon (?:Bronze|Silver|Gold|Platinum) \d5\d\d\w*\+?", "Emerald Rapids"),
        (r"Xeon 6[79]\d\dP", "Granite Rapids"),
        (r"Xeon 67\d\dE", "Sierra Forest"),
        (r"(?:Ampere )?Altra.*", "Neoverse N1"),
    )
)
"""By name, as `short_name` gives it; the first that fits."""
COEFFICIENTS = {
    "CASCADE_LAKE": "Cascade Lake", "SKYLAKE": "Skylake-SP", "BROADWELL": "Broadwell-EP", "HASWELL": "Haswell-EP",
    "SANDY_BRIDGE": "Sandy Bridge-EP", "IVY_BRIDGE": "Ivy Bridge-EP", "AMD_EPYC_1ST_GEN": "EPYC 7001",
    "AMD_EPYC_2ND_GEN": "EPYC 7002", "AMD_EPYC_3RD_GEN": "EPYC 7003",
}  # fmt: skip
"""Cloud Carbon Footprint's names of architectures."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class Server:
    """One machine and what it drew at the wall: the mean of its results."""

    vendor: str
    system: str
    cpu: str
    """Its processor, as `short_name` gives it."""
    architecture: str
    chips: int
    """Its processors."""
    cores: int
    threads: int
    """Hardware threads of all its processors."""
    memory_gb: float | None
    """None where its results do not state it."""
    idle_w: float
    full_w: float
    levels_w: tuple[float, ...] = ()
    """At each of LEVELS, where the file has them."""


@dataclass(frozen=True)
class Host:
    """One kind of EC2 host: the power of its processors."""

    cpu: str
    watts: tuple[float, ...]
    """Of one virtual CPU, at each of HOST_LOADS."""


@dataclass(frozen=True)
class Profile:
    """One of codecarbon's machines: the power of its package, by RAPL."""

    name: str
    tdp_w: float
    points: tuple[tuple[float, float], ...]
    """Loads and watts."""


def architecture_of_name(name: str) -> str | None:
    """Return the architecture of a server's processor by its short name; None for another or an unknown one."""
    return next((architecture for pattern, architecture in _NAMES if pattern.fullmatch(name)), None)


def read_servers(path: Path) -> list[Server]:
    """Return each machine whose processor is of a known architecture, from a table of SPECpower results."""
    by_machine: dict[tuple[str, ...], list[Row]] = {}
    for row in _rows(path):
        cpu = short_name(row["CPU Description"])
        key = row["Hardware Vendor"], row["System"].split(" (")[0], cpu, row["# Cores"], row["Total Threads"]
        if architecture_of_name(cpu):
            by_machine.setdefault(key, []).append(row)
    return [
        Server(
            vendor=vendor,
            system=system,
            cpu=cpu,
            architecture=architecture_of_name(cpu) or "",
            chips=int(same[0]["Chips"]),
            cores=int(cores),
            threads=int(threads),
            memory_gb=_memory_gb(same),
            idle_w=geometric_mean(float(row["avg. watts @ active idle"]) for row in same),
            full_w=geometric_mean(float(row["avg. watts @ 100%"]) for row in same),
        )
        for (vendor, system, cpu, cores, threads), same in sorted(by_machine.items())
    ]


def read_levels(path: Path) -> tuple[list[tuple[float, ...]], list[Server]]:
    """Return the power of each result at LEVELS, and the results whose processor and size are known as servers."""
    curves, servers = [], []
    for row in _rows(path):
        columns = (row[f"{level}_AvgPower" if level else "ActiveIdle"] for level in LEVELS)
        watts = tuple(float(cell or "nan") for cell in columns)
        if not all(value > 0 for value in watts):
            continue
        curves.append(watts)
        cpu = short_name(row["HW_CPUName"])
        architecture = architecture_of_name(cpu)
        threads, cores = ((row[name].split() or [""])[0] for name in ("HW_HardwareThreads", "HW_CPUsEnabled"))
        if architecture and threads.isdigit() and cores.isdigit():
            memory_gb = float(row["HW_MemAmountGB"] or 0) or None
            system = row["HW_Model"].split(" (")[0]
            size = int(row["CPUChips"]), int(cores), int(threads), memory_gb
            servers.append(Server(row["HW_Vendor"], system, cpu, architecture, *size, watts[0], watts[-1], watts))
    return curves, servers


def read_coefficients(path: Path) -> dict[str, tuple[float, float]]:
    """Return Cloud Carbon Footprint's power of a hardware thread idle and at full load, by our architectures."""
    with tarfile.open(path) as package:
        file = package.extractfile("package/src/domain/AzureFootprintEstimationConstants.ts")
        text = file.read().decode() if file else ""
    sides = []
    for name in ("MIN_WATTS_BY_COMPUTE_PROCESSOR", "MAX_WATTS_BY_COMPUTE_PROCESSOR"):
        block = text.partition(f"{name}: {{")[2].partition("}")[0].replace("]", "")
        rows = re.findall(r"COMPUTE_PROCESSOR_TYPES\.(\w+)\W+([\d.]+),", block)
        sides.append({COEFFICIENTS[key]: float(watts) for key, watts in rows if key in COEFFICIENTS})
    return {architecture: (sides[0][architecture], sides[1][architecture]) for architecture in COEFFICIENTS.values()}


def read_hosts(path: Path) -> list[Host]:
    """Return each host that Teads measured, from its instance type with most virtual CPUs."""
    largest: dict[str, Row] = {}
    for row in _rows(path):
        model = row["Platform CPU Name"].split()[-1]
        if model in MEASURED and int(row["Instance vCPU"]) > int(largest.get(model, {}).get("Instance vCPU", 0)):
            largest[model] = row
    return [
        Host(
            f"Xeon Platinum {model}",
            tuple(float(row[f"PkgWatt @ {name}"].replace(",", ".")) / int(row["Instance vCPU"]) for name in HOST_LOADS),
        )
        for model, row in sorted(largest.items())
    ]


def read_profiles(folder: Path) -> list[Profile]:
    """Return codecarbon's machines: RAPL's energy over the duration of each load."""
    points: dict[str, list[tuple[float, float]]] = {}
    for path in sorted(folder.rglob("compare*2025-01-14.csv")):
        for row in _rows(path):
            watts = float(row["rapl_energy"]) * 3.6e6 / float(row["duration"])
            points.setdefault(path.parent.name, []).append((float(row["cpu_load"]) / 100, watts))
    return [Profile(*PROFILES[folder_name], tuple(pairs)) for folder_name, pairs in points.items()]


def _memory_gb(results: Sequence[Row]) -> float | None:
    """Return the mean of what the results state; 0 stands for nothing."""
    stated = [value for row in results if (value := float(row["Total Memory (GB)"]))]
    return fmean(stated) if stated else None


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
