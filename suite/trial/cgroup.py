"""CPU quota and memory limit of the control groups that this process is in: version 1, 2, or both mounted (hybrid).

Sources: cgroups(7); proc(5) for /proc/PID/cgroup and /proc/PID/mountinfo; kernel Documentation/scheduler/sched-bwc.rst
for `cpu.cfs_*` and version 1's `cpu.stat`, Documentation/admin-guide/cgroup-v1/memory.rst for its memory limit,
Documentation/admin-guide/cgroup-v2.rst for version 2's files.
"""

from __future__ import annotations

import functools
from pathlib import Path, PurePosixPath

ROOT = Path("/")
"""Where /proc and the control groups are; a tree on disk in tests."""


def quota_cores(root: Path = ROOT) -> float | None:
    """Return the CPU quota of this process's groups and their parents, cores; None if none of them has one."""
    return min((quota for folder in _folders(root) if (quota := _quota(folder)) is not None), default=None)


def memory_limit_bytes(root: Path = ROOT) -> int | None:
    """Return the memory limit of this process's groups and their parents, bytes; None if none of them has one."""
    folders = _folders(root, "memory")
    return min((limit for folder in folders if (limit := _memory_limit(folder)) is not None), default=None)


def throttled_s(root: Path = ROOT) -> float | None:
    """Return how long quotas have kept tasks of these groups off the CPUs, seconds added up over CPUs.

    A quota counts in the group that has it, and so the parents are added. None if no group counts it.
    """
    counts = [count for folder in _folders(root) if (count := _throttled_s(folder)) is not None]
    return sum(counts) if counts else None


@functools.cache
def _folders(root: Path, controller: str = "cpu") -> tuple[Path, ...]:
    """Return the folders of this process's groups and their parents, in each hierarchy that may have the controller."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return ()
    paths: dict[str, PurePosixPath] = {}
    folders: list[Path] = []
    for line in groups:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            paths["cgroup2"] = PurePosixPath(path)
        elif controller in controllers.split(","):
            paths["cgroup"] = PurePosixPath(path)
    for line in mounts:
        before, _, after = line.partition(" - ")
        mounted, mount_point = before.split()[3:5]
        version, _, options = after.split()[:3]
        if version in paths and (version == "cgroup2" or controller in options.split(",")):
            top = root / mount_point.lstrip("/")
            below = _below(paths.pop(version), PurePosixPath(mounted))
            folders += (top / folder for folder in (below, *below.parents))
    return tuple(folders)


def _below(group: PurePosixPath, mounted: PurePosixPath) -> PurePosixPath:
    """Return where a mount of the group `mounted` has `group`; its top if it does not reach so far.

    A container may see only its own group, mounted as if it were the root, beside the path that the host gives it.
    """
    return group.relative_to(mounted) if group.is_relative_to(mounted) and ".." not in group.parts else PurePosixPath()


def _quota(folder: Path) -> float | None:
    """Return the quota of one group, cores; None if it has none."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError):  # no such file, or "max"
        return None


def _memory_limit(folder: Path) -> int | None:
    """Return the limit of one group, bytes; None if it has none, for which version 1 writes a number beyond any."""
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            return int((folder / name).read_text())
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return None


def _throttled_s(folder: Path) -> float | None:
    try:
        counts = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if "throttled_usec" in counts:
        return int(counts["throttled_usec"]) / 1e6
    return int(counts["throttled_time"]) / 1e9 if "throttled_time" in counts else None
