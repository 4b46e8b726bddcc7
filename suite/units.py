"""Units: joules to kilowatt-hours, and numbers to text."""

from __future__ import annotations

import math

JOULES_PER_KWH = 3.6e6

MAX_G_PER_KWH = 3000.0
"""No grid is above about 1,300 g/kWh over a year, and a lignite block is at about 1,200; more is a mistaken unit."""

MAX_PSF = 1e12
"""Repetitions of a computation."""

MAX_PUE = 5.0
"""Uptime Institute's surveys began in 2007 at 2.5 on average; more than 5 is a mistake (a percentage, say)."""

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def kwh(energy_j: float) -> float:
    """Return `energy_j` joules in kilowatt-hours."""
    return energy_j / JOULES_PER_KWH


def prefix(value: float) -> tuple[float, str]:
    """Return the SI factor and prefix that make `value` read as 1 to 999; (1, "") if it is 0 or not finite."""
    size = abs(value)
    if size == 0 or not math.isfinite(size):
        return 1.0, ""
    for factor, name in _PREFIXES:
        if size >= factor * 0.9995:
            return factor, name
    return _PREFIXES[-1]


def quantity(value: float | None, unit: str = "", digits: int = 3) -> str:
    """Format `value` with an SI prefix: 0.00123 s -> "1.23 ms"; "not measured" for None."""
    if value is None:
        return "not measured"
    factor, name = prefix(value) if unit else (1.0, "")
    return f"{significant(value / factor, digits)} {name}{unit}".rstrip()


def significant(value: float, digits: int = 3) -> str:
    """Format `value` to `digits` significant digits, without exponent: 12345.6 -> "12,300"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - exponent)
    return f"{rounded:,.{max(0, digits - 1 - math.floor(math.log10(abs(rounded))))}f}"


def percent(share: float) -> str:
    """Format a share as a whole percentage; below 1 %, to two significant digits: 0.00034 -> "0.034%"."""
    return f"{significant(100 * share, 2)}%" if 0 < abs(share) < 0.01 else f"{share:.0%}"


def counted(count: int, noun: str) -> str:
    """Format a count with its noun: "1 case", "3 cases"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def extent(
    cases: int, rounds: int, max_rounds: int | None, expected_s: float, dropped_rounds: int = 0, sweep: bool = False
) -> str:
    """Format the size of a plan: "14 cases x 3 rounds, about 2 min 40 s"."""
    extra = f" (up to {max_rounds} if inconclusive)" if max_rounds else ""
    if max_rounds and sweep:
        extra = f" (and {counted(max_rounds - rounds, 'round')} of the best and the default)"
    if dropped_rounds:
        extra = (
            f" ({rounds + dropped_rounds} would take too long; to have them, give --rounds {rounds + dropped_rounds})"
        )
    return f"{counted(cases, 'case')} x {counted(rounds, 'round')}{extra}, about {duration(expected_s)}"


def duration(seconds: float) -> str:
    """Format `seconds`: 75 -> "1 min 15 s"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, seconds_left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds_left:02d} s"
