"""Tables that other programs write: rows to cells, a column's unit by its name, and a cell to a number.

Nothing is read by position: a column without a name that says what it is, and in which unit, is not read.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

GRAMS_PER_LB: Final = 453.59237
"""The international pound (NIST SP 811, appendix B.8)."""
_POWER = {"w": 1.0, "watt": 1.0, "watts": 1.0, "mw": 1e-3, "milliwatts": 1e-3, "kw": 1e3, "kilowatts": 1e3}
_ENERGY = {"wh": 3600.0, "mwh": 3.6, "kwh": 3.6e6, "j": 1.0, "joule": 1.0, "joules": 1.0, "kj": 1e3}
_OTHER = {
    "v": ("V", 1.0), "volt": ("V", 1.0), "volts": ("V", 1.0), "mv": ("V", 1e-3),
    "a": ("A", 1.0), "amp": ("A", 1.0), "amps": ("A", 1.0), "ma": ("A", 1e-3),
    "va": ("VA", 1.0), "kva": ("VA", 1e3), "var": ("var", 1.0), "kvar": ("var", 1e3),
}  # fmt: skip
_UNITS = MappingProxyType(
    {name: ("W", factor) for name, factor in _POWER.items()}
    | {name: ("J", factor) for name, factor in _ENERGY.items()}
    | _OTHER
)
_MEGA = MappingProxyType({"MW": ("W", 1e6), "MWh": ("J", 3.6e9)})
"""Told from milli by their capitals alone."""
_MASS_G = MappingProxyType(
    {"mg": 1e-3, "g": 1.0, "gram": 1.0, "grams": 1.0, "kg": 1e3, "t": 1e6, "ton": 1e6, "tons": 1e6, "tonne": 1e6,
     "tonnes": 1e6, "mt": 1e6, "lb": GRAMS_PER_LB, "lbs": GRAMS_PER_LB, "pound": GRAMS_PER_LB, "pounds": GRAMS_PER_LB}
)  # fmt: skip
_KWH = MappingProxyType({"wh": 1e-3, "kwh": 1.0, "mwh": 1e3, "gwh": 1e6})
# Before the slash, a gas may be named and said to be an equivalent, apart from the mass or joined to it.
_INTENSITY = re.compile(
    rf"(?<![a-z])({'|'.join(sorted(_MASS_G, key=len, reverse=True))})[ _.-]*(?:of[ _])?(?:co2|carbon)?[ _.-]*(?:eq|e)?"
    r"[ _.-]*(?:/|per)[ _.-]*(gwh|mwh|kwh|wh)(?![a-z])"
)
_NUMBER = re.compile(r"([-+]?(?:\d[\d.,']*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*([A-Za-z/]*)")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True)
class Unit:
    """A unit, and its size in the one that is reckoned in."""

    base: str
    """`W`, `J`, `V`, `A`, `VA`, `var` or `g/kWh`."""
    factor: float


@dataclass(frozen=True)
class Column:
    """One column by its name in the header."""

    index: int
    name: str
    unit: Unit | None
    """None where the name has none."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The words of the name, in lower case: `power.draw [W]` -> power, draw, w."""
        return tuple(word.lower() for word in _tokens(self.name))

    @property
    def plain(self) -> str:
        """The name in lower case, its words apart by a space."""
        return " ".join(self.tokens)


def columns(header: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of a header."""
    return tuple(Column(i, name.strip().lstrip("#").strip(), unit_in(name)) for i, name in enumerate(header))


def unit_in(name: str) -> Unit | None:
    """Return the unit that `name` (of a column, or in a cell) has in it; None where it has none."""
    if (match := _INTENSITY.search(name.lower().replace("₂", "2"))) is not None:
        return Unit("g/kWh", _MASS_G[match[1]] / _KWH[match[2]])
    tokens = _tokens(name)
    for word in reversed(tokens):
        unit = _MEGA.get(word) or _UNITS.get(word.lower())
        # One letter may be a phase (`a_act_power`) as well: it is a unit at the end only.
        if unit is not None and (len(word) > 1 or word is tokens[-1]):
            return Unit(*unit)
    return None


def _tokens(name: str) -> list[str]:
    """Return the words of a name; `PkgWatt` has two."""
    return re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-zA-Z])(?=Watts?\b)", " ", name))


def cells(line: str) -> list[str]:
    """Return the cells of a line, separated by semicolons, tabs, commas or, without any of these, blanks."""
    delimiter = next((mark for mark in ";\t," if mark in line), None)
    if delimiter is None:
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
    except csv.Error:  # a NUL, or a cell without end
        return []


def number(cell: str, decimal_comma: bool = False) -> tuple[float, Unit | None] | None:
    """Return a finite number and the unit behind it; None for anything else, or a comma that may be either mark.

    With `decimal_comma`, 1,234 is less than two: cells are not separated by commas. 1.234,5 and 1,234.5 are clear.
    """
    match = _NUMBER.fullmatch(cell.strip())
    if match is None:
        return None
    text = match[1].replace("'", "")
    if "," in text:
        if "." in text:
            text = text.replace(",", "") if text.rindex(".") > text.rindex(",") else _with_point(text)
        elif not decimal_comma and _THOUSANDS.fullmatch(text):
            return None
        else:
            text = text.replace(",", ".")
    unit = unit_in(match[2]) if match[2] else None
    if match[2] and unit is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return (value, unit) if math.isfinite(value) else None


def _with_point(text: str) -> str:
    return text.replace(".", "").replace(",", ".")


def separates_by_comma(line: str) -> bool:
    """Return whether the cells of `line` are separated by commas, so that none of these is a decimal mark."""
    return ";" not in line and "\t" not in line and "," in line
