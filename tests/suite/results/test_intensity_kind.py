"""What kind of carbon intensity a run's grams are computed with."""

from __future__ import annotations

import pytest

from joulemark.suite.carbon import ember
from joulemark.suite.records import Intensity
from joulemark.suite.results.intensity_kind import INTENSITY_KINDS, intensity_kind

HOUR = {"zone": "DE", "source": "a service", "interval_start": "2026-11-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("intensity", "key"),
    [
        (Intensity(g_per_kwh=1.0, is_estimated=False, **HOUR), "measured"),
        (Intensity(g_per_kwh=1.0, is_estimated=None, **HOUR), "measured"),
        (Intensity(g_per_kwh=1.0, is_estimated=True, **HOUR), "estimated"),
        (ember.intensity("CH"), "average"),
        (ember.WORLD, "default"),
        (Intensity(g_per_kwh=1.0, source="given", zone=None), "given"),
    ],
)
def test_the_kind_follows_from_the_record(intensity: Intensity, key: str) -> None:
    assert intensity_kind(intensity) is INTENSITY_KINDS[key]


def test_each_kind_has_its_own_mark() -> None:
    assert len({kind.mark for kind in INTENSITY_KINDS.values()}) == len(INTENSITY_KINDS)
