"""Settings of a meter: its arguments, then the environment, then the settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.meter.session import ENVIRONMENT, settings_of


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("zone", "CH", "CH"),
        ("intensity", "30..39..50", "30..39..50"),
        ("pue", "1.2", "1.2"),
        ("psf", "2", 2.0),
        ("emission_factors", "direct", "direct"),
        ("embodied", "assumed", "assumed"),
        ("lifespan_years", "5", 5.0),
        ("offline", "1", True),
    ],
)
def test_the_environment_may_give_all_that_it_names(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    monkeypatch.setenv(ENVIRONMENT[name], text)
    assert getattr(settings_of({}), name) == value


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("JOULEMARK_PSF", "much", "JOULEMARK_PSF: input should be a valid number"),
        ("JOULEMARK_OFFLINE", "maybe", "JOULEMARK_OFFLINE: input should be a valid boolean"),
        ("JOULEMARK_EMISSION_FACTORS", "all", "JOULEMARK_EMISSION_FACTORS: input should be 'lifecycle' or 'direct'"),
    ],
)
def test_what_is_no_value_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, said: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(UsageError, match=f"^{said}.*found '{text}'"):
        settings_of({})


def test_a_place_that_is_given_is_stronger_than_all_that_the_environment_says_of_the_grid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOULEMARK_ZONE", "CH")
    monkeypatch.setenv("JOULEMARK_INTENSITY", "39")
    found = settings_of({"data_center": "gcp:europe-west6"})
    assert (found.zone, found.intensity, found.data_center) == (None, None, "gcp:europe-west6")
    assert settings_of({"zone": None, "pue": 1.5}).zone == "CH"
