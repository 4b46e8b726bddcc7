"""Units: the one place where joules become kilowatt-hours, and where numbers become text for people."""

from __future__ import annotations

import math

JOULES_PER_KWH = 3.6e6

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def kwh(energy_j: float) -> float:
    """Kilowatt-hours in `energy_j` joules."""
    return energy_j / JOULES_PER_KWH


def prefix(value: float) -> tuple[float, str]:
    """The SI factor and prefix under which `value` reads as 1 to 999; (1, "") for 0 and what is not finite."""
    size = abs(value)
    if size == 0 or not math.isfinite(size):
        return 1.0, ""
    for factor, name in _PREFIXES:
        if size >= factor * 0.9995:
            return factor, name
    return _PREFIXES[-1]


def quantity(value: float | None, unit: str = "", digits: int = 3) -> str:
    """`value` for people, with an SI prefix: 0.00123 s -> "1.23 ms"; "not measured" for None."""
    if value is None:
        return "not measured"
    factor, name = prefix(value) if unit else (1.0, "")
    return f"{significant(value / factor, digits)} {name}{unit}".rstrip()


def significant(value: float, digits: int = 3) -> str:
    """`value` with `digits` significant digits and no exponent, thousands separated: 12345.6 -> "12,300"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - exponent)
    return f"{rounded:,.{max(0, digits - 1 - math.floor(math.log10(abs(rounded))))}f}"


def counted(count: int, noun: str) -> str:
    """A number of things: "1 case", "3 cases"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def extent(cases: int, rounds: int, max_rounds: int | None, expected_s: float) -> str:
    """How much a plan is: "14 cases x 3 rounds, about 2 min 40 s"."""
    most = f" (in doubt up to {max_rounds})" if max_rounds else ""
    return f"{counted(cases, 'case')} x {counted(rounds, 'round')}{most}, about {duration(expected_s)}"


def duration(seconds: float) -> str:
    """`seconds` for people: 75 -> "1 min 15 s"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
