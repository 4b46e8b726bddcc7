"""A control group of our own with a memory limit, where this machine lets us make one (cgroups(7), both versions)."""

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
    # The limit, and that of memory and swap together, which may be absent: then swap is not limited.
    "v1": ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    "v2": ("memory.max", "memory.swap.max"),
}


def own_group() -> tuple[str, Path]:
    """(version, directory) of the group whose memory this process is charged to; skips where there is none."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return "v1", MOUNT / "memory" / path.lstrip("/")
        if number == "0" and (found := MOUNT / path.lstrip("/")).joinpath("cgroup.subtree_control").exists():
            return "v2", found
    pytest.skip("no control group for memory is mounted")


@contextlib.contextmanager
def limited(most_bytes: int) -> Iterator[Path]:
    """A child of our own group, limited to `most_bytes`: write a process id to its `cgroup.procs`. Skips, saying why,
    where it cannot be made. Every process in it must have ended when the block ends."""
    version, parent = own_group()
    group = parent / f"joulemark-test-{secrets.token_hex(4)}"
    limit, swap = LIMITS[version]
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made below {parent}: {error.strerror}")
    try:
        try:
            (group / limit).write_text(str(most_bytes))
            with contextlib.suppress(FileNotFoundError):
                (group / swap).write_text("0" if version == "v2" else str(most_bytes))
        except OSError as error:
            pytest.skip(f"memory is not limited by groups below {parent}: {error.strerror}")
        yield group
    finally:
        _remove(group)


def join(group: Path, pid: int) -> None:
    """Move a process into the group; skips where this is not allowed (version 2 asks for the common ancestor too)."""
    try:
        (group / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        pytest.skip(f"no process can be moved into {group}: {error.strerror}")


def _remove(group: Path) -> None:
    """The group is busy until the kernel has let go of the last of its processes."""
    for _ in range(100):
        try:
            os.rmdir(group)
        except OSError:
            time.sleep(0.1)
        else:
            return
