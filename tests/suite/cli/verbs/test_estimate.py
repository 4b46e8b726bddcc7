"""`joulemark estimate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import joulemark
from run_files import case, energy, run_file, trial

from joulemark.suite.records import write

pytestmark = pytest.mark.slow


def document(home: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    done = joulemark(home, "estimate", *arguments, "--json", variables=variables)
    assert done.returncode == 0, done.stderr
    estimate: dict[str, Any] = json.loads(done.stdout)
    assert estimate["schema_version"] == 1
    return estimate


def test_energy_and_emissions_follow_from_the_options(tmp_path: Path) -> None:
    estimate = document(
        tmp_path,
        *("--hours", "12", "--cores", "12", "--watts-per-core", "7.5", "--memory-gb", "64"),
        *("--pue", "1.67", "--intensity", "475"),
    )
    assert estimate["energy_kwh"] == pytest.approx(2.2813536, rel=1e-12)
    assert estimate["emissions_g"] == pytest.approx(2.2813536 * 475, rel=1e-12)
    assert [step["name"] for step in estimate["steps"]][-2:] == ["energy", "emissions"]
    assert estimate["pue"]["value"] == 1.67


def test_steps_are_shown_with_the_sources(tmp_path: Path) -> None:
    options = ("--hours", "1", "--gpus", "8", "--watts-per-gpu", "700", "--pue", "uptime-2025")
    shown = joulemark(tmp_path, "estimate", *options)
    assert shown.returncode == 0
    assert "8 GPUs x 700 W x 1" in shown.stdout
    assert "Nothing was measured" in shown.stderr
    assert "Give --zone" in shown.stderr
    assert "RUN" not in shown.stderr  # there is none to recompute


def test_zone_on_the_command_line_overrides_the_environment(tmp_path: Path) -> None:
    hardware = ("--hours", "1", "--memory-gb", "64")
    overridden = document(tmp_path, *hardware, "--zone", "PL", JOULEMARK_INTENSITY="39")
    assert overridden["emissions_g"] == document(tmp_path, *hardware, "--zone", "PL")["emissions_g"]
    estimate = document(tmp_path, *hardware, JOULEMARK_INTENSITY="39", JOULEMARK_ZONE="PL")
    assert estimate["emissions_g"] == pytest.approx(39 * estimate["energy_kwh"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "hours"),
        ("--hours -1", "hours is -1"),
        ("--hours 1", "Give --cores"),
        ("--hours 1e308 --memory-gb 9", "too large"),
        ("--hours 1 --usage 2", "usage is 2"),
        ("--hours 1 --cores 32", "--cores without --watts-per-core: give both (12"),
        ("--hours 1 --watts-per-gpu 9", "--watts-per-gpu without --gpus"),
        ("--hours 1 --pue 0.2", "PUE is 0.2"),
        ("--hours 1 --psf 0", "PSF is 0"),
        ("--hours 1 --intensity lots", "--intensity got 'lots'"),
        ("--hours 1 --zone ZZ", "unknown zone 'ZZ'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: str, text: str) -> None:
    done = joulemark(tmp_path, "estimate", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_year_of_a_run_beside_reference_machines(tmp_path: Path) -> None:
    """With PSF 1 and 8 busy hours a day of the fixture's 50 W and 20 W idle: 394.2 kWh at PUE 1.5."""
    run = run_file([case(trials=[trial(1, 100.0, readings=[energy(100.0)])])])
    write(run, tmp_path / "runs" / f"{run.run.id}.json")
    options = ("--run", "latest", "--pue", "1.5", "--intensity", "400", "--price", "0.3")
    (year,) = document(tmp_path, *options)["years"]
    assert (year["machine"], year["machines"]) == ("this machine", 1)
    assert year["facility_kwh"] == pytest.approx(394.2)
    assert year["emissions_kg"] == pytest.approx(157.68)
    assert year["cost"] == pytest.approx(118.26)
    shown = joulemark(tmp_path, "estimate", *options)
    assert "394" in shown.stdout
    assert "118" in shown.stdout
    estimate = document(tmp_path, "--hours", "10", "--gpus", "1", "--watts-per-gpu", "100", "--price", "0.3")
    assert estimate["cost"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--hours"),
        (("--hours", "1", "--run", "latest"), "one of them"),
        (("--hours", "1", "--memory-gb", "4", "--busy-hours", "3"), "--busy-hours applies"),
        (("--run", "latest", "--cores", "4"), "--cores applies to --hours"),
        (("--run", "latest", "--busy-hours", "3", "--items-per-day", "9"), "give one of them"),
        (("--run", "latest", "--busy-hours", "25"), "found 25"),
        (("--run", "latest", "--busy-hours", "0"), "found 0"),
        (("--run", "latest", "-k", "nothing"), "matches no measured case"),
        (("--run", "latest", "--against", "h100"), "unknown reference machine"),
        (("--run", "latest", "--price", "nan"), "--price"),
    ],
)
def test_year_that_makes_no_sense_is_one_line(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    write(run_file(), tmp_path / "runs" / "20261101T120000Z-a1b2.json")
    done = joulemark(tmp_path, "estimate", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
