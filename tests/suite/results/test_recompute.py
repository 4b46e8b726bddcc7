"""Another grid afterwards: what was given changes, what was not stays as it was measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from run_files import run_file

from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.energy.idle import mean_idle_power
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, Pue, RunFile, Settings
from joulemark.suite.results.recompute import recompute_with_actual_intensity, recompute_with_options, span_of
from joulemark.suite.results.summary import case_summary

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BASE = run_file()


def measured(settings: Settings) -> RunFile:
    """The run as `settings` would have had it measured."""
    emissions, notices = resolve(settings, NOW)
    idle = mean_idle_power(BASE.idle)
    cases = tuple(one.model_copy(update={"summary": case_summary(one, idle, emissions)}) for one in BASE.cases)
    return BASE.model_copy(update={"cases": cases, "emissions": emissions, "notices": notices, "settings": settings})


@pytest.mark.parametrize(
    "given",
    [
        {"zone": "PL"},
        {"intensity": "30..39..45"},
        {"pue": "uptime-2025"},
        {"psf": 12.0},
        {"embodied": "assumed", "lifespan_years": 5.0},
        {"zone": "IN", "pue": 1.3, "psf": 2.0, "embodied": 300.0},
    ],
)
def test_recomputing_is_measuring_with_these(given: dict) -> None:
    changed = recompute_with_options(measured(Settings(zone="CH")), given, NOW)
    direct = measured(Settings(**({"zone": "CH"} | given)))
    assert changed.model_copy(update={"settings": direct.settings}) == direct


def test_nothing_given_changes_nothing() -> None:
    file = measured(Settings(zone="CH"))
    assert recompute_with_options(file, {"zone": None, "pue": None}, NOW) is file


def test_what_is_not_given_stays() -> None:
    file = measured(Settings(zone="CH", pue=1.4, psf=3.0, embodied="assumed"))
    changed = recompute_with_options(file, {"zone": "PL"}, NOW).emissions
    assert (changed.pue.value, changed.psf) == (1.4, 3.0)
    assert changed.embodied == file.emissions.embodied
    assert recompute_with_options(file, {"pue": 1.1}, NOW).emissions.intensity == file.emissions.intensity


def test_world_notice_goes_when_a_zone_comes_and_stays_when_none_does() -> None:
    file = measured(Settings())
    assert [notice.code for notice in file.notices] == [Code.WORLD_INTENSITY]
    assert recompute_with_options(file, {"zone": "CH"}, NOW).notices == ()
    assert recompute_with_options(file, {"pue": 1.2}, NOW).notices == file.notices


def test_other_factors_keep_the_place() -> None:
    changed = recompute_with_options(measured(Settings(zone="PL")), {"emission_factors": "direct"}, NOW)
    assert changed.emissions.intensity.zone == "PL"
    assert "direct factors" in (changed.emissions.intensity.reason or "")


def test_other_factors_keep_the_user_s_own_intensity(tmp_path: Path) -> None:
    given = {"emission_factors": "direct"}
    found = recompute_with_options(measured(Settings(intensity="25..30..40")), given, NOW).emissions.intensity
    assert (found.low, found.g_per_kwh, found.high, found.basis) == (25, 30, 40, "direct")
    path = tmp_path / "grid.csv"
    path.write_text("time,g_per_kwh\n2026-11-01T12:00Z,77\n")
    found = recompute_with_options(measured(Settings(zone="CH", intensity=str(path))), given, NOW).emissions.intensity
    assert (found.g_per_kwh, found.basis) == (77, "direct")


def test_another_place_keeps_the_factors() -> None:
    given = Settings(zone="CH", emission_factors="direct")
    changed = recompute_with_options(measured(given), {"zone": "PL"}, NOW)
    assert changed.emissions == measured(given.model_copy(update={"zone": "PL"})).emissions
    assert "direct factors" in (changed.emissions.intensity.reason or "")


def test_other_life_span_keeps_what_is_charged() -> None:
    file = measured(Settings(zone="CH", embodied=300))
    changed = recompute_with_options(file, {"lifespan_years": 8.0}, NOW).emissions.embodied
    assert changed is not None
    assert (changed.host_g, changed.lifespan_h) == (300_000, 8 * 8760)
    with pytest.raises(UsageError, match="--embodied too"):
        recompute_with_options(measured(Settings(zone="CH")), {"lifespan_years": 8.0}, NOW)


def test_own_file_covers_the_time_of_the_run_not_of_today(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("time,g_per_kwh\n2026-11-01T12:00Z,77\n2026-11-01T13:00Z,88\n2026-11-23T12:00Z,99\n")
    changed = recompute_with_options(measured(Settings()), {"intensity": str(path)}, NOW)
    assert changed.emissions.intensity.g_per_kwh == 77


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"zone": "XX"}, "unknown zone"),
        ({"pue": "0.5"}, "PUE is 0.5"),
        ({"zone": "CH", "coordinates": "47,8"}, "were given"),
        ({"emission_factors": "marginal"}, "--emission-factors"),
    ],
)
def test_what_cannot_be_is_one_line(given: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        recompute_with_options(measured(Settings()), given, NOW)
    assert "\n" not in str(caught.value)


def test_yearly_values_need_no_settling() -> None:
    file = measured(Settings(zone="CH"))
    assert recompute_with_actual_intensity(file, NOW) is file


def test_file_that_is_gone_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("time,g_per_kwh\n2026-11-01T12:00Z,77\n")
    file = measured(Settings(intensity=str(path)))
    path.unlink()
    assert recompute_with_actual_intensity(file, NOW) is file


def test_interrupted_run_ends_with_its_last_window() -> None:
    run = BASE.run.model_copy(update={"finished_at": None})
    start, end = span_of(BASE.model_copy(update={"run": run}))
    assert (end - start).total_seconds() == 32.0


def test_notices_of_other_kinds_stay() -> None:
    other = Notice.of(Code.RUN_INCOMPLETE, 3)
    file = measured(Settings())
    file = file.model_copy(update={"notices": (other, *file.notices)})
    assert recompute_with_options(file, {"zone": "CH"}, NOW).notices == (other,)
    assert recompute_with_options(file, {"pue": 1.2}, NOW).emissions.pue == Pue(value=1.2, source="given by the user")
