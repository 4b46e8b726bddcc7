"""Machines of many kinds as Linux shows them, for estimates of their power."""

from __future__ import annotations

from pathlib import Path


def build(
    folder: Path, dmi: dict[str, str], processor: str, threads: int, memory_gb: float = 8.0, sockets: int = 1
) -> tuple[str, str]:
    """Write /sys/class/dmi/id and /proc of a machine below `folder`; return the folders of both."""
    for name, files in (
        ("dmi", dmi),
        ("proc", {"meminfo": f"MemTotal:       {memory_gb * 1e9 / 1024:.0f} kB\nMemFree: 1 kB", "cpuinfo": ""}),
    ):
        (folder / name).mkdir()
        for file, text in files.items():
            (folder / name / file).write_text(text + "\n")
    blocks = (f"processor\t: {i}\nphysical id\t: {i % sockets}\n{processor}\n" for i in range(threads))
    (folder / "proc" / "cpuinfo").write_text("\n".join(blocks))
    return str(folder / "dmi"), str(folder / "proc")


def x86(
    name: str, vendor: str, family: int, model: int, stepping: int = 0, siblings: int = 2, guest: bool = True
) -> str:
    """Return the fields of one processor as Linux shows them; `siblings` of one core."""
    fields = {
        "vendor_id": vendor,
        "cpu family": family,
        "model": model,
        "model name": name,
        "stepping": stepping,
        "siblings": 2 * siblings,
        "cpu cores": 2,
        "flags": "fpu avx2" + " hypervisor" * guest,
    }
    return "\n".join(f"{key}\t: {value}" for key, value in fields.items())


AZURE = {"sys_vendor": "Microsoft Corporation", "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77"}
MILAN = x86("AMD EPYC 7763 64-Core Processor", "AuthenticAMD", 25, 1)
