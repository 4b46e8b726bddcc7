"""A control group with a memory limit, on machines that allow one to be made (cgroups(7), versions 1 and 2)."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

MOUNT = Path("/sys/fs/cgroup")
LIMITS = {
    # Files of the memory limit and of the swap limit. The latter may be absent: swap is not limited then.
    "v1": ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    "v2": ("memory.max", "memory.swap.max"),
}


def own_group() -> tuple[str, Path]:
    """Return version and directory of the group that this process's memory is charged to. Skips if there is none."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return "v1", MOUNT / "memory" / path.lstrip("/")
        if number == "0" and (group := MOUNT / path.lstrip("/")).joinpath("cgroup.subtree_control").exists():
            return "v2", group
    pytest.skip("no control group for memory is mounted")


@contextlib.contextmanager
def limited(max_bytes: int) -> Iterator[Path]:
    """Make a child of our own group, limited to `max_bytes`. Skips, with the reason, if it cannot be made.

    Every process in it must have ended when the block ends.
    """
    version, parent = own_group()
    group = parent / f"joulemark-test-{secrets.token_hex(4)}"
    limit, swap = LIMITS[version]
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made below {parent}: {error.strerror}")
    try:
        try:
            (group / limit).write_text(str(max_bytes))
            with contextlib.suppress(FileNotFoundError):
                (group / swap).write_text("0" if version == "v2" else str(max_bytes))
        except OSError as error:
            pytest.skip(f"memory is not limited by groups below {parent}: {error.strerror}")
        yield group
    finally:
        _remove(group)


def join(group: Path, pid: int) -> None:
    """Move a process into the group. Skips if that is not allowed (version 2 checks the common ancestor too)."""
    try:
        (group / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        pytest.skip(f"no process can be moved into {group}: {error.strerror}")


def _remove(group: Path) -> None:
    """Remove the group, which is busy until the kernel has released the last of its processes."""
    for _ in range(100):
        try:
            os.rmdir(group)
        except OSError:
            time.sleep(0.1)
        else:
            return
