"""Control groups with a limit, on machines that allow one to be made (cgroups(7), versions 1 and 2)."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

MOUNT = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def limited_memory(max_bytes: int) -> Iterator[Path]:
    """Make a group that may use `max_bytes`, without swap. Skips, with the reason, if it cannot be made."""
    # The limit on swap may be absent: swap is not limited then.
    v1 = {"memory.limit_in_bytes": max_bytes, "memory.memsw.limit_in_bytes": max_bytes}
    with _limited("memory", v1, {"memory.max": max_bytes, "memory.swap.max": 0}) as group:
        yield group


@contextlib.contextmanager
def limited_cpu(cores: float) -> Iterator[Path]:
    """Make a group with a quota of `cores`. Skips, with the reason, if it cannot be made."""
    quota_us = round(cores * 100_000)
    v1 = {"cpu.cfs_period_us": 100_000, "cpu.cfs_quota_us": quota_us}
    with _limited("cpu", v1, {"cpu.max": f"{quota_us} 100000"}) as group:
        yield group


def join(group: Path, pid: int) -> None:
    """Move a process into the group. Skips if that is not allowed (version 2 checks the common ancestor too)."""
    try:
        (group / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        pytest.skip(f"no process can be moved into {group}: {error.strerror}")


@contextlib.contextmanager
def _limited(controller: str, v1: Mapping[str, object], v2: Mapping[str, object]) -> Iterator[Path]:
    """Make a child of our own group whose limits are those of its version; the first must exist, others may be absent.

    Every process in it must have ended when the block ends.
    """
    version, parent = _own_group(controller)
    group = parent / f"joulemark-test-{secrets.token_hex(4)}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made below {parent}: {error.strerror}")
    try:
        for number, (name, limit) in enumerate((v1 if version == "v1" else v2).items()):
            try:
                (group / name).write_text(str(limit))
            except OSError as error:
                if number == 0 or not isinstance(error, FileNotFoundError):
                    pytest.skip(f"{controller} is not limited by groups below {parent}: {error.strerror}")
        yield group
    finally:
        _remove(group)


def _own_group(controller: str) -> tuple[str, Path]:
    """Return version and directory of this process's group under `controller`. Skips if there is none."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return "v1", MOUNT / controllers / path.lstrip("/")
        if number == "0" and (group := MOUNT / path.lstrip("/")).joinpath("cgroup.subtree_control").exists():
            return "v2", group
    pytest.skip(f"no control group for {controller} is mounted")


def _remove(group: Path) -> None:
    """Remove the group, which is busy until the kernel has released the last of its processes."""
    for _ in range(100):
        try:
            os.rmdir(group)
        except OSError:
            time.sleep(0.1)
        else:
            return
