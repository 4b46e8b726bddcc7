"""Which node this is: by machine id, boot id and GPUs, never by its host name, which containers and clones share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from joulemark.suite.records import Record
from joulemark.suite.system.clock import boot_id

MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class Identity(Record):
    """What tells a node from others."""

    machine: str
    """Digest of the machine id: machine-id(5) asks not to pass the id itself on. Empty where there is none."""
    boot_id: str
    """The kernel's id of this boot, which containers on it share; empty where it has none."""
    boards: tuple[str, ...] = ()
    """UUIDs of its GPUs."""

    def place(self, number: int) -> str:
        """Return a name for what this node keeps of part `number` of a job: the same after it was booted."""
        return f"{number}-{self.machine or self.boot_id}"


def identify(boards: Sequence[str], files: Sequence[str] = MACHINE_ID_FILES) -> Identity:
    """Return the identity of this node, which has the GPUs `boards`."""
    return Identity(machine=_machine(files), boot_id=boot_id(), boards=tuple(boards))


def _machine(files: Sequence[str]) -> str:
    for name in files:
        try:
            text = Path(name).read_text().strip()
        except (OSError, ValueError):
            continue
        if text:
            return hashlib.sha256(f"joulemark {text}".encode()).hexdigest()[:16]
    return ""


def share_machine(a: Identity, b: Identity) -> bool:
    """Return whether two nodes of a cluster are on one machine now: they would disturb each other."""
    return bool(a.boot_id) and a.boot_id == b.boot_id


def matches(earlier: Sequence[Identity], now: Sequence[Identity]) -> dict[int, int]:
    """Return which of the nodes `now` each of the `earlier` ones is, by index. Those that are not found are left out.

    A node that was booted since is found by its machine id and GPUs, if no other has the same: clones do.
    """
    found: dict[int, int] = {}
    for key in (_boot, _hardware):
        left = [i for i in range(len(earlier)) if i not in found and key(earlier[i])]
        free = [i for i in range(len(now)) if i not in found.values() and key(now[i])]
        for i in left:
            same = [j for j in free if key(now[j]) == key(earlier[i])]
            if len(same) == 1 and sum(key(earlier[other]) == key(earlier[i]) for other in left) == 1:
                found[i] = same[0]
    return found


def _boot(identity: Identity) -> object:
    return (identity.boot_id, identity.machine, identity.boards) if identity.boot_id else None


def _hardware(identity: Identity) -> object:
    return (identity.machine, identity.boards) if identity.machine else None
