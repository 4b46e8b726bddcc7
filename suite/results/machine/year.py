"""What a machine uses in a year at a given load: active joules, and idle watts for the rest of the time. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from joulemark.suite.carbon.accounting import check_psf, emissions_g, facility_energy_j
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Case, Emissions, RunFile
from joulemark.suite.results.machine.peaks import idle_limits_w, idle_power

HOURS: Final = 8760.0
"""Of a year of 365 days."""
DAYS: Final = 365.0
BUSY_HOURS: Final = 8.0
"""Of a day, where no load is given."""
MAX_ITEMS: Final = 1e18


@dataclass(frozen=True)
class Year:
    """One year of a load on one kind of machine."""

    case: Case
    machines: int
    """As many as the load needs, at least one."""
    active_h: float
    """Of all of them."""
    active_kwh: float | None
    """IT energy of the work; None where the case has no energy."""
    idle_kwh: float | None
    """IT energy of the hours without work; None where idle power was not measured."""
    facility_kwh: float | None
    """Of what is known: a lower bound without idle energy."""
    emissions_kg: float | None
    cost: float | None
    """Facility energy times price, in the currency of the price; None without a price."""
    estimated: bool
    lower_bound: bool
    reason: str
    """What is missing; empty for nothing."""
    factors: tuple[float, float] | None = None
    """By which an estimate of the whole may be off, least and most; None where it was measured, or if unknown."""

    @property
    def busy_h(self) -> float:
        """Hours of work of each machine."""
        return self.active_h / self.machines


def items_of_day(case: Case, busy_h: float = BUSY_HOURS) -> float:
    """Return the items that `case` does in `busy_h` hours. UsageError for hours that a day does not have."""
    if not 0 < busy_h <= 24:
        raise UsageError(f"--busy-hours: a day has more than 0 and at most 24 of them, found {busy_h:g}.")
    return _rate(case) * busy_h * 3600


def year(run_file: RunFile, case: Case, items_per_day: float, emissions: Emissions, price: float | None = None) -> Year:
    """Return a year of `items_per_day` of `case`, which has a summary, on machines like that of `run_file`.

    The factor PSF of `emissions` multiplies the items. Whatever time is left of the machines' year is idle.

    Raises:
        UsageError: if a number is out of range.
    """
    check_price(price)
    if not 0 < items_per_day <= MAX_ITEMS:
        raise UsageError(f"--items-per-day: it is more than 0 and at most {MAX_ITEMS:g}, found {items_per_day:g}.")
    assert case.summary is not None
    items = items_per_day * DAYS * check_psf(emissions.psf)
    active_h = items / _rate(case) / 3600
    machines = max(1, math.ceil(active_h / HOURS - 1e-9))
    per_item = case.summary.energy_per_item_j
    active_kwh = None if per_item.value is None else items * per_item.value / 3.6e6
    idle_w, idle_kind = idle_power(run_file, case)
    idle_h = max(0.0, round(machines * HOURS - active_h, 6))  # what is left beside full days is rounding
    idle_kwh = None if idle_w is None else idle_w * idle_h / 1000
    reasons = [f"energy: {per_item.reason}"] if active_kwh is None else []
    reasons += ["idle power was not measured"] if idle_kwh is None else []
    facility_j = (
        None if active_kwh is None else facility_energy_j((active_kwh + (idle_kwh or 0)) * 3.6e6, emissions.pue.value)
    )
    facility_kwh = None if facility_j is None else facility_j / 3.6e6
    estimated = "model" in (per_item.kind, idle_kind)
    return Year(
        case=case,
        machines=machines,
        active_h=active_h,
        active_kwh=active_kwh,
        idle_kwh=idle_kwh,
        facility_kwh=facility_kwh,
        emissions_kg=None if facility_j is None else emissions_g(facility_j, emissions.intensity.g_per_kwh) / 1000,
        cost=None if facility_kwh is None or price is None else facility_kwh * price,
        estimated=estimated,
        lower_bound=per_item.lower_bound or (active_kwh is not None and idle_kwh is None),
        reason="; ".join(reasons),
        factors=_factors(run_file, case, active_kwh, idle_kwh, idle_h) if estimated else None,
    )


def _factors(
    run_file: RunFile, case: Case, active_kwh: float | None, idle_kwh: float | None, idle_h: float
) -> tuple[float, float] | None:
    """Return the factors by which the sum of active and idle energy may be off; None if they are not known."""
    assert case.summary is not None
    of_item, of_idle_w = case.summary.energy_per_item_j.ranges.sensor, idle_limits_w(run_file, case)
    if active_kwh is None or of_item is None or (idle_kwh is not None and of_idle_w is None):
        return None
    ends = []
    for end, factor in enumerate(of_item):
        idle_end_kwh = 0.0 if idle_kwh is None or of_idle_w is None else of_idle_w[end] * idle_h / 1000
        ends.append((active_kwh * factor + idle_end_kwh) / (active_kwh + (idle_kwh or 0.0)))
    return ends[0], ends[1]


def check_price(price: float | None) -> None:
    """Raise UsageError for a price of a kilowatt-hour that cannot be one."""
    if price is not None and not (math.isfinite(price) and 0 <= price <= 1e6):
        raise UsageError(f"--price: of a kilowatt-hour, from 0 to 1,000,000, found {price:g}.")


def _rate(case: Case) -> float:
    assert case.summary is not None
    return case.summary.throughput.value or 0.0
