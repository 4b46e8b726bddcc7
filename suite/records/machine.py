"""The machine a run was made on."""

from __future__ import annotations

from joulemark.suite.records.base import Record


class Cpu(Record):
    """The host processor."""

    model: str
    physical_cores: int | None
    """Cores; None where the system does not say."""
    logical_cores: int
    usable_cores: float
    """What this process may use: affinity mask and cgroup quota, in cores."""
    architecture: str = ""
    governor: str | None = None
    """Frequency governor of the first core; None where the system has none to tell, as in most virtual machines."""
    flags: tuple[str, ...] = ()
    """Instruction sets that matter here: avx2, avx512f, amx_tile, ..."""


class Gpu(Record):
    """One board."""

    index: int
    """Its place in the vendor library's order (PCI bus order)."""
    vendor: str
    name: str
    uuid: str
    pci_bus_id: str
    memory_bytes: int | None = None
    """None where the board does not say."""
    driver: str = ""
    power_limit_w: float | None = None
    """Enforced limit; None where not supported."""
    device: str | None = None
    """The frameworks' name for it in this run (`cuda:0`); None where it is not visible to them."""
    mig: bool = False
    """Whether the board is split (MIG): its power is then shared between tenants."""


class FrameworkInfo(Record):
    """A framework as it is installed."""

    version: str
    python: str
    """Version of the interpreter that runs it."""
    build: str
    """What it was built for: `cpu`, `cuda 12.8`, `rocm 6.4`; empty where it was not asked."""
    devices: tuple[str, ...] = ("cpu",)
    boards: tuple[str, ...] = ()
    """UUID of each of its boards in the order of their numbers, without a prefix; empty where it does not tell."""
    blind: str | None = None
    """Why it sees no board although it was built for boards; None where it sees one, or was not asked."""


class Machine(Record):
    """What this computer is. `hostname` and paths are left out of an anonymous report."""

    fingerprint: str
    """Hash of CPU model, cores, memory and GPUs: equal fingerprints may be compared as the same machine."""
    hostname: str
    os: str
    cpu: Cpu
    memory_bytes: int
    gpus: tuple[Gpu, ...] = ()
    frameworks: dict[str, FrameworkInfo] = {}
    packages: dict[str, str] = {}
    """Versions of the packages that can change a result."""
    virtual: str | None = None
    """The hypervisor or container that the system reports; None on bare metal or where unknown."""
