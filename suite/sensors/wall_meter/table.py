"""The table of a power meter or of another program that logs power: which of its columns are read, and as what.

The time and the power, or else the cumulative energy, are found by the names of columns and in the unit of these names.
What could be read in two ways is refused with the columns named. A table may have one row for each plug (`plug`,
`entity_id`, `uuid`, ...): plugs are added up, or one is chosen by its name, as a column is: `meter:FILE#NAME`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.wall_meter.columns import (
    GPU_WORDS,
    KEYS,
    PARTS,
    POWER,
    WATT,
    fitting,
    time_columns,
    unit_of,
)
from joulemark.suite.system.table_times import epoch_s, zone_in
from joulemark.suite.system.tables import Column, Unit, cells, columns, number, separates_by_comma, unit_in

_MILLISECONDS = re.compile(r"\d\d:\d\d:\d\d$")
_DCMI = re.compile(r"\s*(Instantaneous power reading|IPMI timestamp)\s*:\s*(\S.*)")
_DCGMI = re.compile(r"(\S.*?)\s+#?\s*(Entity|GPU \d+)\s+(\S.*)")
"""A line of `dcgmi dmon` behind its time, which another program puts there."""
_DCMI_HEADER: Final = ("IPMI timestamp", "Instantaneous power reading [W]")


@dataclass(frozen=True)
class Row:
    """One value of one plug."""

    at_s: float
    """Seconds since 1970."""
    plug: str
    value: float
    """Watts, or joules of a counter."""


@dataclass
class MeterTable:
    """What is read from a table, by its header."""

    name: str
    """The file, for messages."""
    chosen: tuple[str, ...] = ()
    """The columns or plugs that the user named."""
    time: tuple[int, ...] = (0,)
    """Columns of date and time."""
    value: tuple[Column, ...] = (Column(1, "watt", WATT),)
    """Columns that are added up."""
    unit: Unit = WATT
    """Of all of them: W, or J for a counter."""
    keys: tuple[int, ...] = ()
    units: int | None = None
    """The column that has a row's unit."""
    parts: tuple[int, ...] = ()
    """Columns that are `-` in the row of the whole (turbostat)."""
    zone: tzinfo | None = None
    header: tuple[str, ...] = ()
    component: str = "machine"
    _commas: bool = False
    """Whether commas separate the cells of the line that is being read."""
    _dcmi: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, lines: Sequence[str], chosen: Sequence[str], now_s: float) -> MeterTable:
        """Return the table whose first lines are `lines`. UsageError where they can be read in two ways, or none."""
        table = cls(name, tuple(chosen))
        read = [both for line in lines if len((both := table._cells(line))[1]) > 1]
        names, row = next((both for both in read if both[0]), read[0] if read else ([], []))
        if names or not row or row[1:2] == ["Entity"] or epoch_s(row[0], now_s) is None:
            return table._with_header(names or row, lines)
        if len(row) != 2 or chosen:
            raise UsageError(
                f"{name} has no header, and its rows have {len(row)} columns: begin it with their names, such as "
                "time,power_w."
            )
        return table

    def _with_header(self, names: Sequence[str], lines: Sequence[str]) -> MeterTable:
        if names[1:2] == ["Entity"]:  # the header of `dcgmi dmon` stands behind a time too
            names = ["time", "gpu", *names[2:]]
        self.header = tuple(names)
        present = columns(names)
        self.time = time_columns(present)
        self.keys = tuple(column.index for column in present if column.plain in KEYS and column.index not in self.time)
        self.units = next((c.index for c in present if c.plain in {"unit", "units", "unit of measurement"}), None)
        self.value = tuple(self._chosen(present) or self._values(present))
        if not self.time or not self.value:
            self._refuse(
                "no column of time (ts of moreutils puts one before each line)"
                if not self.time
                else "no column of power, or of cumulative energy"
            )
        self.zone = zone_in(present[self.time[0]].name)
        self.unit = self.value[0].unit or WATT
        if len({(c.unit or WATT).base for c in self.value}) > 1:
            self._refuse("power and energy cannot be added up")
        if any("pkg" in column.plain for column in self.value):
            self.parts = tuple(column.index for column in present if column.plain in PARTS)
            self.component = "package_log"
        elif any(GPU_WORDS & {*present[i].tokens} for i in (*self.keys, *(column.index for column in self.value))):
            self.component = "gpu_log"
        self._check_volts_and_amps(present, lines)
        return self

    def _chosen(self, present: Sequence[Column]) -> list[Column]:
        """Return the columns that the user named; none where the names are of plugs."""
        wanted = [c for c in present if c.name.casefold() in {name.casefold() for name in self.chosen}]
        for column in wanted:
            if (unit_of(column) or Unit("", 0.0)).base not in {"W", "J"}:
                self._refuse(f"{column.name!r} is no power or energy by its name; name its unit, as in power_w")
        self.chosen = () if wanted else self.chosen
        return [Column(c.index, c.name, unit_of(c)) for c in wanted]

    def _values(self, present: Sequence[Column]) -> list[Column]:
        """Return the column of power, or else of energy. UsageError where several fit."""
        if any(column.plain == "entity id" for column in present):
            state = next((column for column in present if column.plain == "state"), None)
            return [Column(state.index, state.name, WATT)] if state is not None else []
        free = [column for column in present if column.index not in {*self.time, *self.keys}]
        for base in "WJ":
            fit = fitting(free, base)
            if len(fit) > 1:
                names = ", ".join(column.name for column in fit)
                self._refuse(f"each of {names} may be meant: choose with meter:FILE#COLUMN, or add up with #A+B")
            if fit:
                return fit
        tapo = next((column for column in free if column.plain == "current power"), None)
        if tapo is not None:
            self._refuse(
                "'current_power' of a Tapo plug is milliwatts from get_energy_usage and watts from get_current_power: "
                "name it current_power_mw or current_power_w"
            )
        return []

    def _check_volts_and_amps(self, present: Sequence[Column], lines: Sequence[str]) -> None:
        """Raise UsageError where a power without a unit is not watts by the volts and amperes beside it."""
        if len(self.value) != 1 or present[self.value[0].index].unit is not None or self.unit.base != "W":
            return
        volts, amps = (
            next((c for c in present if (c.unit.base == base if c.unit else word in c.tokens)), None)
            for base, word in (("V", "voltage"), ("A", "current"))
        )
        for _, row in (self._cells(line) for line in lines) if volts and amps else ():
            if volts is None or amps is None or len(row) <= max(volts.index, amps.index, self.value[0].index):
                continue
            read = [self._number(row[column.index], column.unit) for column in (volts, amps, self.value[0])]
            if None in read or (apparent_va := (read[0] or 0.0) * (read[1] or 0.0)) < 1.0:
                continue
            if not 0.05 <= (read[2] or 0.0) / apparent_va <= 20:
                self._refuse(
                    f"{self.value[0].name!r} is {read[2]:g} where volts times amperes are {apparent_va:.3g}: "
                    f"name its unit, as in {self.value[0].name}_mw"
                )
            return

    def _refuse(self, why: str) -> None:
        # The first line of a file that is none of a meter, such as one of passwords, is not for anybody's log.
        is_header = any(re.search(r"time|date|power|watt|energy|volt|amp", name, re.IGNORECASE) for name in self.header)
        shown = f" Its columns are: {', '.join(self.header)}." if is_header else " Its first line names no columns."
        raise UsageError(f"cannot tell how to read {self.name}: {why}.{shown}")

    def rows(self, line: str, now_s: float) -> Iterator[Row]:
        """Yield what a line has: nothing for a header, a comment, half a row or a plug that was not chosen."""
        _, row = self._cells(line)
        wanted = [*self.time, *self.keys, *(column.index for column in self.value), *self.parts]
        if len(row) <= max(wanted) or any(row[i] not in {"-", ""} for i in self.parts):
            return
        time = " ".join(row[i] for i in self.time)
        at_s = epoch_s(time, now_s, self.zone)
        if self.header == _DCMI_HEADER and at_s is not None:  # a BMC's clock runs in UTC, or as the machine's does
            at_s = min(at_s, epoch_s(time, now_s, UTC) or at_s, key=lambda value: abs(value - now_s))
        plug = " ".join(row[i] for i in self.keys)
        if self.chosen and not any(row[i].casefold() == name.casefold() for i in self.keys for name in self.chosen):
            return
        values = [self._value(row, column) for column in self.value]
        known = [value for value in values if value is not None and value >= 0]
        total = sum(known)
        if at_s is not None and len(known) == len(values) and math.isfinite(total):
            yield Row(at_s, plug, total)

    def _value(self, row: Sequence[str], column: Column) -> float | None:
        unit = column.unit
        if self.units is not None and self.units < len(row):
            unit = unit_in(row[self.units])
        elif column.name.casefold() == "state":  # Home Assistant: the entity's name says what its state is
            unit = unit_in(row[self.keys[0]]) or (WATT if POWER & {*columns([row[self.keys[0]]])[0].tokens} else None)
        return self._number(row[column.index], unit) if unit is not None and unit.base == self.unit.base else None

    def _number(self, cell: str, unit: Unit | None) -> float | None:
        """Return a cell in watts, joules, volts or amperes. A unit in the cell itself counts before the header's."""
        read = number(cell, decimal_comma=not self._commas)
        if read is None:
            return None
        value, own = read
        if own is not None and unit is not None and own.base != unit.base:
            return None
        return value * (own or unit or WATT).factor

    def _cells(self, line: str) -> tuple[list[str], list[str]]:
        """Return the names that a line has in it, if it does, and its cells."""
        line = line.strip().lstrip("#").strip()
        if (match := _DCMI.fullmatch(line)) is not None:
            return self._dcmi_cells(match[1], match[2])
        self._commas = separates_by_comma(line)
        if (match := _DCGMI.fullmatch(line)) is not None:
            self._commas = False
            return [], [match[1], match[2], *match[3].split()]
        row = cells(line)
        if len(row) > 3 and row[0] == "Time" and "Watts" in row[2::2]:  # PTDaemon: names and values in turn
            return row[::2], row[1::2]
        if len(row) > 2 and _MILLISECONDS.search(row[0]) and re.fullmatch(r"\d{3}", row[1]):
            row = [f"{row[0]}.{row[1]}", *row[2:]]  # Python's logging writes milliseconds after a comma
        return [], row

    def _dcmi_cells(self, name: str, value: str) -> tuple[list[str], list[str]]:
        """Return the names and cells of a power reading of `ipmitool dcmi`, which are on lines of their own."""
        self._dcmi[name] = value
        if len(self._dcmi) < len(_DCMI_HEADER):
            return [], []
        row = [self._dcmi[column.partition(" [")[0]] for column in _DCMI_HEADER]
        self._dcmi = {}
        return list(_DCMI_HEADER), row
