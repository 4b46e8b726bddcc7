"""The arguments of `joulemark watch`, checked. UsageError for each that cannot be used."""

from __future__ import annotations

import ipaddress
import math
import os
from collections.abc import Sequence
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.system.text import printable
from joulemark.suite.watch.process_groups import IDLE, OTHERS

LOOPBACK = "127.0.0.1"
MAX_PORT = 65535
LONGEST_S = 1e9
"""Thirty years."""


def seconds(flag: str, value: float | None, at_least: float = 0.0) -> float | None:
    """Return `value`; None where it is not given."""
    if value is not None and not (math.isfinite(value) and max(at_least, 1e-3) <= value <= LONGEST_S):
        raise UsageError(f"{flag} got {value:g}. Give a number of seconds of at least {at_least or 0.001:g}.")
    return value


def named_processes(given: Sequence[str]) -> dict[str, int]:
    """Return the process ids of `NAME=PID` or `PID` by name, which for the latter is the id."""
    named: dict[str, int] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 1 << 31):
            raise UsageError(f"--pid got {text!r}. Give a process id, or a name for it too: --pid train=4711.")
        name = name or number
        if name in named:
            raise UsageError(f"--pid got the name {name!r} twice. Give each group a name of its own.")
        if name in (OTHERS, IDLE) or name != printable(name) or "\n" in name:
            raise UsageError(f"--pid got the name {name!r}, which is not one for a group. Give another.")
        named[name] = int(number)
    return named


def address(text: str) -> tuple[str, int]:
    """Return host and port of `PORT`, `HOST:PORT` or `[IPV6]:PORT`."""
    host, colon, number = text.rpartition(":")
    if not (number.isascii() and number.isdigit() and int(number) <= MAX_PORT) or (colon and not host):
        raise UsageError(
            f"--serve got {text!r}. Give a port, such as 9877, or HOST:PORT; 0.0.0.0:9877 is for all of the network."
        )
    return host.removeprefix("[").removesuffix("]") or LOOPBACK, int(number)


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_textfile(path: Path | None) -> None:
    """Raise UsageError if a file for node_exporter cannot be made at `path`."""
    if path is None:
        return
    if path.suffix != ".prom":
        raise UsageError(f"--textfile got {str(path)!r}: node_exporter reads only files that end in .prom.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"--textfile got {str(path)!r}: {str(path.parent)!r} is not a folder that can be written. It is what "
            "node_exporter has as --collector.textfile.directory."
        )
