"""Parse what users give for intensity, PUE and embodied emissions: a number, a number with its range, or a name.

A name stands for an assumption with a source and a year.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from joulemark.suite.carbon.accounting import check_pue
from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Embodied, Pue

OWN_MACHINE: Final = Pue(
    value=1.0,
    # As in Green Algorithms: a computer at a desk has no machine room around it.
    source="one's own machine (default)",
)

PUES: Final[Mapping[str, Pue]] = MappingProxyType(
    {
        "local": Pue(value=1.0, source="one's own machine"),
        "uptime-2025": Pue(value=1.54, source="Uptime Institute, global survey 2025, average"),
        "uptime-2024": Pue(value=1.56, source="Uptime Institute, global survey 2024, average"),
        "green-algorithms": Pue(
            value=1.67, source="Green Algorithms 2021, unknown data centre (Uptime Institute, survey 2019)"
        ),
        # Low and high of the three below: the providers' published figures for single regions.
        "google": Pue(value=1.10, source="Google, fleet average 2023; range of 12 regions 2024", low=1.07, high=1.16),
        "aws": Pue(value=1.15, source="Amazon, global 2023; range of 22 regions 2024", low=1.07, high=1.46),
        "azure": Pue(
            value=1.185, source="Cloud Carbon Footprint; range of 12 regions by Microsoft 2023", low=1.11, high=1.35
        ),
        "jean-zay": Pue(value=1.2, source="IDRIS Jean Zay, by Luccioni et al. 2022 (arXiv:2211.02001)"),
    }
)
"""Averages that data centres publish. Your own operator knows better."""
SERVER_KG: Final = (500.0, 1000.0, 2000.0)
"""A server without accelerators: low, assumed, high. 1,000 kg is the baseline of the Impact Framework's `sci-embodied`,
after Cloud Carbon Footprint; half and twice stand for the spread between methods and sizes."""
BOARD_KG: Final = (128.0, 150.0, 575.0)
"""An accelerator: low, assumed, high. 128: A100 SXM 40 GB (Falk et al. 2025, arXiv:2509.00093); 150: the Impact
Framework's GPU; 164: an H100 by NVIDIA's own footprint of the HGX board; 575: H100 SXM by Boavizta's method."""
LIFESPAN_YEARS: Final = (3.0, 4.0, 6.0)
"""Shortest, assumed and longest, years: EcoLogits, the SCI's example, BoaviztAPI."""

MAX_KG: Final = 1e12
"""A fortieth of the emissions of the world in a year."""

EMBODIED_SOURCE: Final = (
    "assumed: server 1,000 kg and board 150 kg (Impact Framework sci-embodied); ranges over published methods"
)


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
        known = () if amount is None else (amount.low, amount.value, amount.high)
        if amount is None or not all(end is None or 0 <= end <= MAX_KG for end in known):
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
