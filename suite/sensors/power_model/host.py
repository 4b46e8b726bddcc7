"""What a machine tells of itself without a network: its provider and instance by DMI, its processor, its memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from joulemark.suite.sensors.base import DMI_ROOT, PROC_ROOT

DMI_FILES = ("sys_vendor", "product_name", "chassis_asset_tag", "board_asset_tag")
EC2 = "Amazon EC2"
PROVIDERS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("sys_vendor", EC2): EC2,
        ("product_name", "Google Compute Engine"): "Google Compute Engine",
        ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"): "Microsoft Azure",
        ("chassis_asset_tag", "OracleCloud.com"): "Oracle Cloud",
        ("product_name", "Alibaba Cloud ECS"): "Alibaba Cloud",
        ("chassis_asset_tag", "OpenTelekomCloud"): "Open Telekom Cloud",
        ("chassis_asset_tag", "HUAWEICLOUD"): "Huawei Cloud",
        ("sys_vendor", "DigitalOcean"): "DigitalOcean",
        ("sys_vendor", "Hetzner"): "Hetzner",
        ("sys_vendor", "Scaleway"): "Scaleway",
        ("sys_vendor", "UpCloud"): "UpCloud",
        ("product_name", "OpenStack Nova"): "OpenStack",
        ("product_name", "OpenStack Compute"): "OpenStack",
    }
)
"""What identifies a provider's machines, as cloud-init's ds-identify does."""
_EC2_TAG = re.compile(r"i-[0-9a-f]{8,17}")
"""The instance id, which EC2 writes on the board."""
_INSTANCE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
"""EC2 names the instance type as the product: `m5.large`, `u-6tb1.metal`."""


@dataclass(frozen=True)
class Host:
    """The facts of one machine that a model of its power depends on."""

    provider: str
    """Whose cloud it is in; empty where DMI does not say."""
    instance: str
    """The provider's name of its kind: `m5.large`; empty where DMI does not say, as everywhere but on EC2."""
    cpu_name: str
    """The processor as it calls itself: `AMD EPYC 7742 64-Core Processor`."""
    cpu_numbers: tuple[str, int, int, int] | None
    """Its vendor, family, model and stepping; for Arm its implementer, architecture, part and variant."""
    threads: int
    """Logical processors."""
    threads_per_core: int
    sockets: int
    """Processors that it shows."""
    is_guest: bool
    """Whether it is a virtual machine: a share of a host that may be larger."""
    memory_gb: float
    """1e9 bytes."""


def describe(dmi_root: str = DMI_ROOT, proc_root: str = PROC_ROOT) -> Host:
    """Return the facts of the machine whose tables and processors are shown below these folders."""
    dmi = {name: _line(Path(dmi_root, name)) for name in DMI_FILES}
    provider = next((name for (file, text), name in PROVIDERS.items() if dmi[file] == text), "")
    if not provider and _EC2_TAG.fullmatch(dmi["board_asset_tag"]):
        provider = EC2
    has_type = provider == EC2 and _INSTANCE.fullmatch(dmi["product_name"])
    processors = _processors(_text(Path(proc_root, "cpuinfo")))
    first = processors[0] if processors else {}
    return Host(
        provider=provider,
        instance=dmi["product_name"] if has_type else "",
        cpu_name=first.get("model name", ""),
        cpu_numbers=_numbers(first),
        threads=max(1, len(processors)),
        threads_per_core=_threads_per_core(first),
        sockets=len({processor.get("physical id") for processor in processors}) or 1,
        is_guest=_is_guest(first, provider, dmi["product_name"]),
        memory_gb=_memory_gb(_text(Path(proc_root, "meminfo"))),
    )


def _is_guest(processor: Mapping[str, str], provider: str, product: str) -> bool:
    """Return whether the machine is virtual. Arm's processors do not say so: there it is one of a cloud's that is not
    named a whole host (`m6g.metal`)."""
    if "flags" in processor:
        return "hypervisor" in processor["flags"].split()
    return bool(provider) and ".metal" not in product


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _line(path: Path) -> str:
    return _text(path).strip()


def _processors(text: str) -> list[dict[str, str]]:
    """Return the fields of each processor in /proc/cpuinfo."""
    blocks = (dict(_field(line) for line in block.splitlines() if ":" in line) for block in text.split("\n\n"))
    return [block for block in blocks if "processor" in block]


def _field(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()


def _numbers(processor: Mapping[str, str]) -> tuple[str, int, int, int] | None:
    names = ("cpu family", "model", "stepping"), ("CPU architecture", "CPU part", "CPU variant")
    for vendor, keys in zip(("vendor_id", "CPU implementer"), names, strict=True):
        try:
            family, model, stepping = (int(processor[key], 0) for key in keys)
        except (KeyError, ValueError):
            continue
        return processor.get(vendor, ""), family, model, stepping
    return None


def _threads_per_core(processor: Mapping[str, str]) -> int:
    try:
        return max(1, int(processor["siblings"]) // int(processor["cpu cores"]))
    except (KeyError, ValueError, ZeroDivisionError):
        return 1


def _memory_gb(text: str) -> float:
    """Return the memory that /proc/meminfo states in KiB."""
    match = re.search(r"MemTotal:\s*(\d+) kB", text)
    return int(match[1]) * 1024 / 1e9 if match else 0.0
