"""Parse what users give for intensity, PUE and embodied emissions: a number, a number with its range, or a name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from joulemark.suite.carbon.accounting import check_pue
from joulemark.suite.carbon.presets import BOARD_KG, EMBODIED_SOURCE, LIFESPAN_YEARS, OWN_MACHINE, PUES, SERVER_KG
from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Embodied, Pue

HOURS_PER_YEAR: Final = 8760.0
GRAMS_PER_KG: Final = 1000.0

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Amount:
    """A number, with its range where it was given."""

    value: float
    low: float | None = None
    high: float | None = None

    def check(self, check: Callable[[float], float]) -> None:
        """Call `check` with the number and the ends of its range."""
        for value in (self.low, self.value, self.high):
            if value is not None:
                check(value)


def parse_amount(given: float | str, option: str) -> Amount | None:
    """Return the number or `LOW..VALUE..HIGH` in `given`; None for other text. UsageError for a range that is none."""
    if not isinstance(given, str):
        return Amount(float(given))
    text = given.strip()
    if _NUMBER.fullmatch(text):
        return Amount(float(text))
    parts = text.split("..")
    if len(parts) == 1 or not all(_NUMBER.fullmatch(part.strip()) for part in parts):
        return None
    if len(parts) != 3 or not float(parts[0]) <= float(parts[1]) <= float(parts[2]):
        raise UsageError(f"{option} got {given!r}. A range is LOW..VALUE..HIGH, such as 30..39..45.")
    low, value, high = (float(part) for part in parts)
    return Amount(value, low, high)


def parse_pue(given: float | str | None) -> Pue:
    """Return the PUE of a number, a range, or the name of a preset. UsageError where it cannot be."""
    if given is None:
        return OWN_MACHINE
    amount = parse_amount(given, "--pue")
    if amount is None:
        if (preset := PUES.get(str(given).strip().lower())) is None:
            raise unknown("PUE preset", str(given), PUES)
        return preset
    amount.check(check_pue)
    return Pue(value=amount.value, source="given by the user", low=amount.low, high=amount.high)


def parse_embodied(given: float | str | None, lifespan_years: float) -> Embodied | None:
    """Return the embodied emissions for `assumed`, or kilograms for the computer. UsageError for anything else."""
    if given is None:
        if lifespan_years != LIFESPAN_YEARS[1]:
            raise UsageError("--lifespan-years is the life span of embodied emissions: give --embodied too.")
        return None
    shortest, _, longest = LIFESPAN_YEARS
    years = (min(shortest, lifespan_years), lifespan_years, max(longest, lifespan_years))
    if str(given).strip().lower() == "assumed":
        server, board, source = SERVER_KG, BOARD_KG, EMBODIED_SOURCE
    else:
        amount = parse_amount(given, "--embodied")
        if amount is None or not 0 <= amount.value < float("inf") or (amount.low or 0) < 0:
            raise UsageError(
                f"--embodied got {given!r}. Give kilograms of CO2-equivalent for the computer, or 'assumed'."
            )
        low = amount.value if amount.low is None else amount.low
        server = (low, amount.value, amount.value if amount.high is None else amount.high)
        # One number is for the whole computer with all its parts.
        board, source = (0.0, 0.0, 0.0), "given by the user"
    return Embodied(
        host_low_g=server[0] * GRAMS_PER_KG,
        host_g=server[1] * GRAMS_PER_KG,
        host_high_g=server[2] * GRAMS_PER_KG,
        board_low_g=board[0] * GRAMS_PER_KG,
        board_g=board[1] * GRAMS_PER_KG,
        board_high_g=board[2] * GRAMS_PER_KG,
        lifespan_low_h=years[0] * HOURS_PER_YEAR,
        lifespan_h=years[1] * HOURS_PER_YEAR,
        lifespan_high_h=years[2] * HOURS_PER_YEAR,
        source=source,
    )
