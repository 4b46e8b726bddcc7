"""`joulemark run` on a live grid: the intensity of its hours, and failures of the service."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command import FAST, joulemark
from environments import known, require, stand_in
from grid_server import TOKEN, Reply, grid_server, hour, hourly, latest, listed
from live_grid import service_variables

from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow
require("torch")

RUN = (
    *("run", "--profile", "fast", "--workload", "matmul", "--framework", "pytorch", "--rounds", "1", "--threads", "1"),
    *("--sensor", "simulated:rapl/constant", "--no-report"),
    *known("pytorch"),
)


def constant_answer(path: str, parameters: dict[str, str]) -> Reply:
    """Answer with 123 g/kWh now and in history, whichever hour the run falls into."""
    now = hour(datetime.now(UTC))
    if path.endswith("latest"):
        return Reply(latest(value=123, start=now))
    return Reply(listed("history", hourly(now, 123)))


def measure(home: Path, *more: str, variables: dict[str, str]) -> RunFile:
    (home / "joulemark.toml").write_text(FAST)
    done = joulemark(home, *RUN, *more, "--json", variables=variables)
    assert done.returncode == 0, done.stderr
    return read(Path(json.loads(done.stdout)["path"]))


def test_service_is_asked_once_and_the_token_stays_secret(tmp_path: Path) -> None:
    with grid_server(constant_answer) as server:
        run = measure(tmp_path, "--zone", "CH", variables=service_variables(server))
        requests = list(server.paths)
    intensity = run.emissions.intensity
    assert (intensity.source, intensity.g_per_kwh, intensity.zone) == ("Electricity Maps", 123.0, "CH")
    assert not intensity.fallback
    # A second and third request if an hour begins during the run.
    assert requests in (["carbon-intensity/latest"], ["carbon-intensity/latest"] * 2 + ["carbon-intensity/history"])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)


def test_run_survives_a_failing_service(tmp_path: Path) -> None:
    with grid_server(lambda path, parameters: Reply(None, body=b"<html>")) as server:
        variables = service_variables(server)
        run = measure(tmp_path, "--zone", "CH", "--pue", "uptime-2025", "--embodied", "assumed", variables=variables)
    emissions = run.emissions
    assert (emissions.intensity.vintage, emissions.intensity.fallback) == (2025, True)
    assert "JSON" in (emissions.intensity.reason or "")
    assert (emissions.pue.value, emissions.pue.source) == (1.54, "Uptime Institute, global survey 2025, average")
    assert emissions.embodied is not None
    assert "intensity_fallback" in {notice.code for notice in run.notices}


@pytest.mark.parametrize(
    "more", [["--zone", "UK"], ["--pue", "0.5"], ["--coordinates", "x"], ["--intensity", "no.csv"]]
)
def test_bad_carbon_input_is_reported_before_the_run(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "joulemark.toml").write_text(FAST)
    for dry in ([], ["--dry-run"]):
        done = joulemark(tmp_path, *RUN, *more, *dry)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("*.json"))


def test_coordinates_on_the_command_line_override_a_zone_in_the_environment(tmp_path: Path) -> None:
    options = ("--dry-run", "--coordinates", "47.37,8.54", "--offline", "--framework", "pytorch")
    python = f"pytorch={stand_in(tmp_path)}"
    done = joulemark(tmp_path, "run", *options, "--python", python, variables={"JOULEMARK_ZONE": "CH"})
    assert done.returncode == 0, done.stderr
