"""Describe this computer from files and metadata, without importing a framework or initialising a device."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from joulemark.suite.records import Cpu, FrameworkInfo, Gpu, Machine
from joulemark.suite.system.affinity import allowed_cores
from joulemark.suite.trial import cgroup
from joulemark.suite.trial.discover import packages

FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16")
"""Instruction sets that decide which kernels the frameworks choose."""
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Those that multiply bf16: of AMD and Intel, of Intel, of Arm."""


def describe(gpus: Sequence[Gpu] = (), frameworks: Mapping[str, FrameworkInfo] | None = None) -> Machine:
    """Return this machine, with the GPUs and frameworks that were found."""
    cpu = _cpu()
    memory_bytes = psutil.virtual_memory().total
    return Machine(
        fingerprint=fingerprint(cpu, memory_bytes, gpus),
        hostname=socket.gethostname(),
        os=f"{platform.system()} {platform.release()}",
        cpu=cpu,
        memory_bytes=memory_bytes,
        gpus=tuple(gpus),
        frameworks=dict(frameworks or {}),
        packages=packages(),
        virtual=_virtual(),
    )


def fingerprint(cpu: Cpu, memory_bytes: int, gpus: Sequence[Gpu]) -> str:
    """Return 12 hex digits that identify a machine: of the SHA-256 of CPU model, cores, memory and GPUs.

    Memory is rounded to GiB: what the kernel reserves varies from boot to boot.
    """
    facts = [cpu.model, cpu.physical_cores, cpu.logical_cores, round(memory_bytes / 2**30), [gpu.name for gpu in gpus]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def multiplies_bf16() -> bool:
    """Return whether the cores have instructions for matrix products in bf16, without which it is slower than fp32."""
    return not BF16_FLAGS.isdisjoint(_cpuinfo()[1])


def memory_by_device(gpus: Sequence[Gpu]) -> dict[str, int]:
    """Return the memory that cases can have, bytes, by device: of the CPU, what other programs leave; of GPUs, all.

    GPUs that do not tell theirs are left out.
    """
    limit = cgroup.memory_limit_bytes()
    free = psutil.virtual_memory().available
    on_gpus = {gpu.device: gpu.memory_bytes for gpu in gpus if gpu.device and gpu.memory_bytes}
    return {"cpu": free if limit is None else min(free, limit), **on_gpus}


def default_threads() -> int:
    """Return the number of threads for each framework: the cores that this process may use, at least one."""
    return max(1, math.floor(_cpu().usable_cores))


def _cpu() -> Cpu:
    model, flags = _cpuinfo()
    logical = os.cpu_count() or 1
    return Cpu(
        model=model or platform.processor() or platform.machine(),
        physical_cores=psutil.cpu_count(logical=False),
        logical_cores=logical,
        usable_cores=_usable_cores(logical),
        affinity=allowed_cores(),
        architecture=platform.machine(),
        governor=_governor(),
        flags=tuple(flag for flag in FLAGS if flag in flags),
    )


def _cpuinfo() -> tuple[str, frozenset[str]]:
    """Return model name and flags from /proc/cpuinfo; empty where there is none."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "", frozenset()
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields.get("model name", ""), frozenset((fields.get("flags") or fields.get("Features", "")).split())


def _usable_cores(logical: int) -> float:
    """Return the cores of the affinity mask, or of the cgroup's CPU quota if that is less."""
    cores = float(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else float(logical)
    quota = cgroup.quota_cores()
    return cores if quota is None else min(cores, quota)


def _governor() -> str | None:
    """Return the CPU frequency governor; None if unknown (kernel Documentation/admin-guide/pm/cpufreq.rst)."""
    try:
        return Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text().strip() or None
    except OSError:
        return None


def _virtual() -> str | None:
    """Return the hypervisor or container, as far as the system tells; None on bare metal."""
    if Path("/.dockerenv").exists():
        return "docker"
    try:
        name = Path("/sys/class/dmi/id/sys_vendor").read_text().strip()
    except OSError:
        name = ""
    try:
        hypervisor = " hypervisor " in f" {Path('/proc/cpuinfo').read_text()} "
    except OSError:
        hypervisor = False
    return (name or "virtual machine") if hypervisor else None
