"""Yearly carbon intensity of a country, from the table in the package: the source that is always available.

Data: Ember (2026), with major processing by Our World in Data, CC BY 4.0 (`data/ember-owid-2026.csv`, see NOTICE).
It is the average of what a country generates over a year, life cycle included, imports left out.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Intensity

SOURCE: Final = "Ember (2026), processed by Our World in Data"

WORLD: Final = Intensity(
    g_per_kwh=472.94,
    source="Ember, world average of 2024",
    zone=None,
    basis="lifecycle",
    signal="average",
    vintage=2024,
)
"""Not in the table, which holds countries only: published with Ember's yearly data, CC BY 4.0
(https://ember-energy.org/data/yearly-electricity-data/), and carried by the Green Web Foundation's co2.js."""
WITHOUT_VALUE: Final = MappingProxyType(
    {
        "AD": "Andorra", "AI": "Anguilla", "AQ": "Antarctica", "AX": "Åland", "BL": "Saint Barthélemy",
        "BQ": "Caribbean Netherlands", "BV": "Bouvet Island", "CC": "Cocos Islands", "CW": "Curaçao",
        "CX": "Christmas Island", "FM": "Micronesia", "GG": "Guernsey",
        "GS": "South Georgia and the South Sandwich Islands", "HM": "Heard Island and McDonald Islands",
        "IM": "Isle of Man", "IO": "British Indian Ocean Territory", "JE": "Jersey", "LI": "Liechtenstein",
        "MC": "Monaco", "MF": "Saint Martin", "MH": "Marshall Islands", "MP": "Northern Mariana Islands",
        "NF": "Norfolk Island", "NU": "Niue", "PN": "Pitcairn", "PW": "Palau", "SJ": "Svalbard and Jan Mayen",
        "SM": "San Marino", "SX": "Sint Maarten", "TF": "French Southern Territories", "TK": "Tokelau",
        "TV": "Tuvalu", "UM": "United States Minor Outlying Islands", "VA": "Vatican City",
        "WF": "Wallis and Futuna", "XK": "Kosovo", "YT": "Mayotte",
    }
)  # fmt: skip
"""Names of the codes of ISO 3166, and of Kosovo, that Ember has no value for."""
_ALIASES: Final = {"UK": "GB", "EL": "GR"}  # in common use, but not in ISO 3166


@dataclass(frozen=True)
class Country:
    """One row: the latest year of a country."""

    code: str
    """ISO 3166-1 alpha-2."""
    name: str
    year: int
    g_per_kwh: float


@cache
def countries() -> Mapping[str, Country]:
    """Return all countries by code."""
    text = files("joulemark.suite.carbon").joinpath("data/ember-owid-2026.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType(
        {row["iso2"]: Country(row["iso2"], row["name"], int(row["year"]), float(row["g_per_kwh"])) for row in rows}
    )


def intensity(zone: str) -> Intensity:
    """Return the intensity of the country `zone` (`CH`), or for a part of one (`DK-DK2`) of the country, with a reason.

    UsageError where there is no such country, or no value for it; it names the one that was probably meant.
    """
    wanted, code = zone.strip().upper(), _code(zone)
    if (country := countries().get(code)) is None:
        if code in WITHOUT_VALUE:
            raise UsageError(f"{no_value(zone)}. Give --intensity, or the zone of a country with a like grid.")
        raise _unknown(zone)
    part = code != wanted
    return Intensity(
        g_per_kwh=country.g_per_kwh,
        source=SOURCE,
        zone=code,
        basis="lifecycle",
        signal="average",
        vintage=country.year,
        fallback=part,
        reason=f"the yearly table has no figure for {wanted}; that of {country.name} is used" if part else None,
    )


def check_zone(zone: str) -> None:
    """Raise UsageError where `zone` is no country or part of one, whether or not there is a value for it."""
    if _code(zone) not in {*countries(), *WITHOUT_VALUE}:
        raise _unknown(zone)


def no_value(zone: str) -> str | None:
    """Return why the table has no value for `zone`; None where it has one, or does not know the zone."""
    name = WITHOUT_VALUE.get(_code(zone))
    return f"the yearly table has no value for {_code(zone)} ({name})" if name is not None else None


def _code(zone: str) -> str:
    """Return the code of the country of `zone`: DK of DK-DK2."""
    wanted = zone.strip().upper()
    return wanted.partition("-")[0] if re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]+)+", wanted) else wanted


def _unknown(zone: str) -> UsageError:
    """Return the error for an unknown zone, with a hint if it is the name of a country."""
    names = {country.name.casefold(): country for country in countries().values()}
    alias = _ALIASES.get(zone.strip().upper())
    close = difflib.get_close_matches(zone.strip().casefold(), names, n=1, cutoff=0.75)
    meant = countries()[alias] if alias else names[close[0]] if close else None
    hint = f" Did you mean {meant.code} ({meant.name})?" if meant else ""
    return UsageError(
        f"unknown zone {zone!r}.{hint} A zone is a country by its ISO 3166 code, such as CH, or a part of one, "
        f"such as DK-DK2; there are {len(countries())} countries."
    )
