"""The rated (thermal design) power of server processors by name, and the share of it that one machine has.

`data/rated_power.json` is derived from published packages by `studies/power_model_rated.py`.
"""

from __future__ import annotations

import re

from joulemark.suite.sensors.power_model.aggregates import data
from joulemark.suite.sensors.power_model.host import Host

FILE = "rated_power.json"
_NOISE = re.compile(
    r"®|™|\((?:R|TM)\)|\b(?:Intel|AMD|CPU|Processor|Dell SKU)\b|\b\d+-Core\b|\b64-Bit Multi-Core\b|@.*|\[.*\]|,.*",
    re.IGNORECASE,
)
_CORES = re.compile(r"\b(\d+)-Core\b", re.IGNORECASE)
"""AMD's processors name their cores: `AMD EPYC 7763 64-Core Processor`."""


def short_name(name: str) -> str:
    """Return the name of a processor without what vendors add: `Xeon E5-2699 v4`, `EPYC 7742`."""
    text = " ".join(_NOISE.sub(" ", name).split())
    text = re.sub(r"(?i)\bxeon\b", "Xeon", text)
    text = re.sub(r"(?i)\b(bronze|silver|gold|platinum)\b", lambda word: word[1].title(), text)
    text = re.sub(r"(?<=\d|L) ?[vV](\d)\b", r" v\1", text)
    text = re.sub(r"^Xeon (?=8\d{3})", "Xeon Platinum ", text)
    return re.sub(r"^Xeon Gold (?=67\d\d[EP])", "Xeon ", text)


def rated_share_w(host: Host, threads_per_core: int) -> float | None:
    """Return the rated power of this machine, watts: of all its processors, or a guest's share of its host's.

    A guest's is that of its virtual CPUs as hardware threads of one processor. None where the name of the processor is
    hidden or unknown, or a guest's does not say how many threads it has.

    Args:
        host: The machine.
        threads_per_core: Hardware threads of a core of its architecture.
    """
    watts: float | None = data(FILE)["rated_w"].get(short_name(host.cpu_name))
    if watts is None:
        return None
    if not host.is_guest:
        return watts * host.sockets
    threads = _threads(host.cpu_name, threads_per_core)
    return watts * host.threads / threads if threads else None


def source() -> str:
    """Return who published the rated power, and under which licence."""
    return str(data(FILE)["source"])


def _threads(name: str, threads_per_core: int) -> int | None:
    """Return the hardware threads of one processor; None where neither the table nor its name says."""
    published = data(FILE)["threads"].get(short_name(name))
    if published is not None:
        return int(published)
    cores = _CORES.search(name)
    return int(cores[1]) * threads_per_core if cores else None
