"""Carbon arithmetic, pure: IT energy -> facility energy -> emissions, each kept apart from the one before.

Nothing here measures, reads a file or a network, so that any stored energy can be recomputed with other inputs.
A number that is out of range raises UsageError. Ranges are pairs of factors (low, high) on a value and combine by
interval arithmetic: they are bounds, not standard deviations.

Sources: L. Lannelongue, J. Grealey, M. Inouye, "Green Algorithms: Quantifying the Carbon Footprint of Computation",
Advanced Science 2021, doi 10.1002/advs.202100707; ISO/IEC 21031:2024, Software Carbon Intensity (SCI).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from joulemark.suite.errors import UsageError
from joulemark.suite.units import MAX_G_PER_KWH, MAX_PSF, MAX_PUE, kwh

Factors = tuple[float, float]
"""(low, high) of a value, each divided by the value."""

MEMORY_W_PER_GB = 0.3725
"""Power of memory by what is available, not by what is used (Green Algorithms 2021)."""


def check_intensity(g_per_kwh: float) -> float:
    """Return `g_per_kwh`. UsageError where it cannot be a carbon intensity."""
    if not (math.isfinite(g_per_kwh) and 0 <= g_per_kwh <= MAX_G_PER_KWH):
        raise UsageError(
            f"intensity is {g_per_kwh:g} g/kWh; it must lie between 0 and {MAX_G_PER_KWH:g}. "
            "Give grams of CO2-equivalent per kilowatt-hour."
        )
    return g_per_kwh


def check_pue(pue: float) -> float:
    """Return `pue`. UsageError where it cannot be a power usage effectiveness."""
    if not (math.isfinite(pue) and 1 <= pue <= MAX_PUE):
        raise UsageError(
            f"PUE is {pue:g}; it must lie between 1 and {MAX_PUE:g}. "
            "It is facility energy over IT energy: 1.0 is one's own machine, about 1.5 an average data centre."
        )
    return pue


def check_psf(psf: float) -> float:
    """Return `psf`. UsageError where it cannot be a pragmatic scaling factor."""
    if not 0 < psf <= MAX_PSF:
        raise UsageError(
            f"PSF is {psf:g}; it must be greater than 0 and at most {MAX_PSF:g}. It is how often the computation is "
            "repeated: 1 is once."
        )
    return psf


def facility_energy_j(energy_j: float, pue: float) -> float:
    """Return the energy that the whole data centre used for `energy_j` joules of IT energy: IT x PUE."""
    return energy_j * check_pue(pue)


def emissions_g(facility_energy_j: float, g_per_kwh: float) -> float:
    """Return the grams of CO2-equivalent of `facility_energy_j` joules at `g_per_kwh`."""
    return kwh(facility_energy_j) * check_intensity(g_per_kwh)


def factors(value: float, low: float | None, high: float | None) -> Factors | None:
    """Return the range of `value` as factors, 1 for an unknown end; None where neither is known or `value` is 0."""
    if value == 0 or (low is None and high is None):
        return None
    return (low if low is not None else value) / value, (high if high is not None else value) / value


def combined(*ranges: Factors | None) -> Factors:
    """Return the range of a product by interval arithmetic: min x min, max x max. Unknown ranges count as (1, 1)."""
    known = [pair for pair in ranges if pair is not None]
    return math.prod(pair[0] for pair in known), math.prod(pair[1] for pair in known)


def embodied_g(total_g: float, reserved_h: float, lifespan_h: float) -> float:
    """Return the share of embodied emissions for `reserved_h` of a `lifespan_h`, grams (SCI: M = TE x TS)."""
    if not (math.isfinite(total_g) and total_g >= 0):
        raise UsageError(f"embodied emissions are {total_g:g} g; they must be 0 or more.")
    if not (math.isfinite(lifespan_h) and lifespan_h > 0):
        raise UsageError(f"the lifespan is {lifespan_h:g} h; it must be more than 0.")
    if not 0 <= reserved_h <= lifespan_h:
        raise UsageError(f"the time reserved is {reserved_h:g} h; it must lie between 0 and {lifespan_h:g} h.")
    return total_g * (reserved_h / lifespan_h)


@dataclass(frozen=True)
class Step:
    """One step of an estimate, with its numbers."""

    name: str
    formula: str
    value: float
    unit: str


@dataclass(frozen=True)
class Estimate:
    """The Green Algorithms estimate of a computation."""

    energy_kwh: float
    """Facility energy of all repetitions."""
    emissions_g: float
    steps: tuple[Step, ...]


def green_algorithms(
    hours: float,
    *,
    cores: float = 0.0,
    watts_per_core: float = 0.0,
    usage: float = 1.0,
    gpus: float = 0.0,
    watts_per_gpu: float = 0.0,
    gpu_usage: float = 1.0,
    memory_gb: float = 0.0,
    pue: float = 1.0,
    psf: float = 1.0,
    g_per_kwh: float,
) -> Estimate:
    """Return energy and emissions by running time and nominal power (Green Algorithms 2021), with every step.

    E = t (n_c P_c u_c + n_g P_g u_g + n_m P_m) x PUE x PSF / 1000 in kWh; C = E x intensity. Terms left out are 0.
    """
    amounts = {"hours": hours, "cores": cores, "watts per core": watts_per_core}
    amounts |= {"GPUs": gpus, "watts per GPU": watts_per_gpu, "memory": memory_gb}
    for name, amount in amounts.items():
        if not (math.isfinite(amount) and amount >= 0):
            raise UsageError(f"{name} is {amount:g}; it must be 0 or more.")
    for name, share in {"usage": usage, "GPU usage": gpu_usage}.items():
        if not 0 <= share <= 1:
            raise UsageError(f"{name} is {share:g}; it must lie between 0 and 1.")
    check_pue(pue)
    check_psf(psf)
    check_intensity(g_per_kwh)

    cores_w = cores * watts_per_core * usage
    gpus_w = gpus * watts_per_gpu * gpu_usage
    memory_w = memory_gb * MEMORY_W_PER_GB
    power_w = cores_w + gpus_w + memory_w
    it_kwh = hours * power_w / 1000
    energy_kwh = it_kwh * pue * psf
    grams = energy_kwh * g_per_kwh
    steps = (
        Step("cores", f"{cores:g} cores x {watts_per_core:g} W x {usage:g}", cores_w, "W"),
        Step("GPUs", f"{gpus:g} GPUs x {watts_per_gpu:g} W x {gpu_usage:g}", gpus_w, "W"),
        Step("memory", f"{memory_gb:g} GB x {MEMORY_W_PER_GB} W/GB", memory_w, "W"),
        Step("power", "cores + GPUs + memory", power_w, "W"),
        Step("IT energy", f"{hours:g} h x {power_w:g} W / 1000", it_kwh, "kWh"),
        Step("energy", f"IT energy x PUE {pue:g} x PSF {psf:g}", energy_kwh, "kWh"),
        Step("emissions", f"energy x {g_per_kwh:g} g/kWh", grams, "g"),
    )
    return Estimate(energy_kwh, grams, steps)
