"""What kind of carbon intensity a run's grams rest on."""

from __future__ import annotations

import pytest

from joulemark.suite.carbon import ember
from joulemark.suite.records import Intensity
from joulemark.suite.results.intensity_kind import BASES, basis

HOUR = {"zone": "DE", "source": "a service", "interval_start": "2026-11-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("intensity", "expected"),
    [
        (Intensity(g_per_kwh=1.0, is_estimated=False, **HOUR), "measured"),
        (Intensity(g_per_kwh=1.0, is_estimated=None, **HOUR), "measured"),
        (Intensity(g_per_kwh=1.0, is_estimated=True, **HOUR), "estimated"),
        (ember.intensity("CH"), "average"),
        (ember.WORLD, "default"),
        (Intensity(g_per_kwh=1.0, source="given", zone=None), "given"),
    ],
)
def test_every_kind_is_told_from_the_others(intensity: Intensity, expected: str) -> None:
    assert basis(intensity) is BASES[expected]


def test_each_has_a_mark_of_its_own() -> None:
    assert len({found.mark for found in BASES.values()}) == len(BASES)
