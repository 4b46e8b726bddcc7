"""Which columns of a power meter's table are read, by their names: times, power or cumulative energy, and plugs.

The vocabulary is that of the dialects in `tests/data/meters`, each with its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from joulemark.suite.system.tables import Column, Unit

WATT = Unit("W", 1.0)
TIMES: Final = frozenset({"ts", "epoch", "asctime", "timestamp", "datetime", "unixtime"})
KEYS: Final = frozenset(
    {"plug", "outlet", "socket", "channel", "device", "entity", "uuid", "index", "gpu", "name", "host", "sensor"}
    | {"entity id", "gpu id", "pci bus id", "device id", "plug id", "gpu uuid", "gpu name"}
)
"""Names of columns that say whose a row is."""
POWER: Final = frozenset({"power", "apower", "pwr"})
"""Watts where no unit is given."""
ENERGY: Final = frozenset({"total", "energy", "aenergy", "cumulative", "counter"})
"""Without a unit, these are not read."""
OTHER: Final = frozenset(
    {"reactive", "apparent", "factor", "var", "va"}  # no power that is paid for
    | {"limit", "cap", "max", "min", "maximum", "minimum", "peak", "default", "enforced", "requested", "management"}
    | {"ret", "returned", "return", "export", "production", "fund"}  # given back; the fundamental alone
)
"""Names of power and energy that are not what is drawn now."""
PER_INTERVAL: Final = frozenset(
    {"interval", "delta", "minute", "hourly", "consumption", "today", "month", "daily", "act", "last"}
)
"""Names of energies that are no counter. `act` is Shelly's: EMData has the energy of each minute."""
PARTS: Final = frozenset({"core", "cpu", "package", "die", "node", "apic", "x apic"})
"""Columns that are `-` in turbostat's row of the whole system."""
GPU_WORDS: Final = frozenset({"gpu", "graphics", "draw", "uuid", "pci", "gfx"})
_DURATIONS: Final = frozenset({"up", "uptime", "run", "runtime", "on", "elapsed"})


def time_columns(present: Sequence[Column]) -> tuple[int, ...]:
    """Return the columns of the time, or of date and time."""
    date = next((c.index for c in present if c.tokens[:1] == ("date",) and c.plain != "date time"), None)
    fitting = [
        column.index
        for column in present
        if column.index != date
        and (TIMES & {*column.tokens} or {"time", "changed", "updated"} & {*column.tokens[:3]})
        and not _DURATIONS & {*column.tokens}
    ]
    if date is None or not fitting:
        return tuple(fitting[:1]) if date is None else (date,)
    return (date, fitting[0]) if present[fitting[0]].tokens[0] == "time" else (fitting[0],)


def unit_of(column: Column) -> Unit | None:
    """Return the unit of a column of power or energy: that of its name, or watts for `power`."""
    if column.unit is not None:
        return column.unit
    what = next((word for word in reversed(column.tokens) if word in POWER | ENERGY), "")
    return WATT if what in POWER and "current" not in column.tokens else None


def fitting(present: Sequence[Column], base: str) -> list[Column]:
    """Return the columns among `present` that may be meant as the power (`W`) or the cumulative energy (`J`)."""
    known = [Column(c.index, c.name, unit_of(c)) for c in present if not OTHER & {*c.tokens}]
    of_base = [column for column in known if column.unit is not None and column.unit.base == base]
    if base == "J":
        return [column for column in of_base if not PER_INTERVAL & {*column.tokens}]
    packages = [column for column in of_base if "pkg" in column.tokens]
    return packages or of_base  # beside a package's, others are parts of it, or memory
