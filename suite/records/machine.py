"""The machine that a run was made on."""

from __future__ import annotations

from typing import Literal

from joulemark.suite.records.base import Amount, Count, PositiveCount, Record, Size, Watts, Window


class Cpu(Record):
    """The host's processor."""

    model: str
    physical_cores: PositiveCount | None
    """None if the system does not report it."""
    logical_cores: PositiveCount
    usable_cores: Amount
    """Cores that this process may use, by its affinity mask and cgroup quota."""
    affinity: str = ""
    """The affinity mask as ranges of core numbers, `0-3,8`; empty if the system has none."""
    architecture: str = ""
    governor: str | None = None
    """Frequency governor of the first core; None if the system reports none, as in most virtual machines."""
    flags: tuple[str, ...] = ()
    """Instruction sets that matter here: avx2, avx512f, amx_tile, ..."""


class Gpu(Record):
    """One GPU."""

    index: Count
    """Index in the vendor library's order (PCI bus order)."""
    vendor: str
    name: str
    uuid: str
    pci_bus_id: str
    memory_bytes: Size | None = None
    """None if the GPU does not report it."""
    driver: str = ""
    power_limit_w: Watts | None = None
    """Enforced power limit, watts; None if not supported."""
    device: str | None = None
    """The frameworks' name for it in this run (`cuda:0`); None if it is not visible to them."""
    mig: bool = False
    """Whether the GPU is partitioned (MIG): its power is then shared between tenants."""


class FrameworkInfo(Record):
    """An installed framework."""

    version: str
    """`unknown` if it has no metadata and cannot be imported."""
    python: str
    """Version of the interpreter that runs it; empty if that cannot be run."""
    build: str
    """What it was built for: `cpu`, `cuda 12.8`, `rocm 6.4`; empty if it was not asked."""
    devices: tuple[str, ...] = ("cpu",)
    """The devices that it can use; none if it is broken."""
    boards: tuple[str, ...] = ()
    """UUIDs of its GPUs, without prefix, in the order of its device numbers; empty if it does not report them."""
    blind: str | None = None
    """Why it sees no GPU although it was built for GPUs; None if it sees one, or was not asked."""
    broken_reason: str | None = None
    """Why it cannot be imported although it is installed; None if it can, or was not asked."""

    @property
    def label(self) -> str:
        """Its version, and what it was built for where it uses a GPU: on the CPU that makes no difference."""
        uses_gpu = any(device != "cpu" for device in self.devices)
        return f"{self.version} ({self.build})" if self.build and uses_gpu else self.version


class Machine(Record):
    """The computer. An anonymous report leaves out `hostname` and paths."""

    fingerprint: str
    """Hash of CPU model, cores, memory and GPUs: machines with equal fingerprints may be compared as one."""
    hostname: str
    os: str
    cpu: Cpu
    memory_bytes: Size
    gpus: tuple[Gpu, ...] = ()
    frameworks: dict[str, FrameworkInfo] = {}
    packages: dict[str, str] = {}
    """Versions of packages that can change a result."""
    virtual: str | None = None
    """Hypervisor or container that the system reports; None on bare metal or if unknown."""


class LostRank(Record):
    """A rank that did not come to its end."""

    local_rank: Count
    """Its number on its node, from 0."""
    rank: Count | None = None
    """Its number in the job; None where the launcher does not tell it."""
    reason: str
    """How it ended, after the words *local rank 1*: `was killed`."""


class Node(Record):
    """The node that a run was made on, of a job of several. One rank a node measures all of it."""

    job: str
    """What all nodes of a job have in common: a digest of what its launcher calls it."""
    launcher: Literal["torch", "mpi", "slurm", "tensorflow", "ray"]
    """`torch` (torchrun, accelerate, DeepSpeed, Lightning), `mpi`, `slurm`, `tensorflow` or `ray`."""
    apart: bool = False
    """Whether each node measures the same plan by itself, as `run --on` has them, rather than all one thing."""
    machine: str = ""
    """Digest of the machine id, which outlives a boot; empty where it was not asked for, or there is none."""
    rank: Count | None
    """Number of this node, from 0; None where the launcher does not tell it."""
    count: PositiveCount | None
    """Number of nodes; None where the launcher does not tell it."""
    host: str
    """Host name. Others may have the same; machines are told apart by the boot id of `run.segments`."""
    boards: tuple[str, ...] = ()
    """UUIDs of the GPUs that are charged."""
    first_rank: Count | None = None
    """The rank that measured; None where the launcher does not tell it."""
    ranks: PositiveCount | None = None
    """Number of ranks in the job."""
    local_ranks: PositiveCount | None = None
    """Number of ranks on this node; None where the launcher does not tell it."""
    lost: tuple[LostRank, ...] = ()
    """Ranks on this node that did not come to their ends, as far as they used joulemark."""
    mark_s: Window | None = None
    """Begin and end of a call in which all ranks were at once, seconds since `run.started_at`; None without."""
