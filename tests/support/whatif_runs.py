"""Inputs for the page's what-if, and the runs that it is compared with."""

from __future__ import annotations

from report_files import full

from joulemark.suite.carbon import ember
from joulemark.suite.records import Emissions, Intensity, Pue, RunFile
from joulemark.suite.results.summary import recompute

ZONES = tuple(ember.countries().values())
INPUTS = [
    ("zone=PL&pue=1.5&psf=20", ember.intensity("PL"), 1.5, 20.0),
    ("intensity=12.5", Intensity(g_per_kwh=12.5, source="given", zone=None), None, None),
    ("pue=1.09", None, 1.09, None),
    ("intensity=0", Intensity(g_per_kwh=0.0, source="given", zone=None), None, None),
]
"""State of the address; intensity, PUE and PSF, each None for the run's own."""


def with_ranges() -> RunFile:
    """Return a run whose intensity and PUE have ranges."""
    used = Emissions(
        intensity=Intensity(g_per_kwh=300.0, source="a service", zone="DE", low=250.0, high=380.0),
        pue=Pue(value=1.2, source="given", low=1.1, high=1.4),
        psf=2.0,
    )
    return recompute(full(), used)


def recomputed(run: RunFile, intensity: Intensity | None, pue: float | None, psf: float | None) -> RunFile:
    """Return `run` as `joulemark report --zone --pue --psf` recomputes it."""
    used = run.emissions
    return recompute(
        run,
        used.model_copy(
            update={
                "intensity": intensity or used.intensity,
                "pue": Pue(value=pue, source="given") if pue else used.pue,
                "psf": psf or used.psf,
            }
        ),
    )
