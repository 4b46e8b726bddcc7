"""The carbon verbs as a person runs them: processes of their own, a real server, exit codes, one JSON object."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from grid_server import TOKEN, Answer, Reply, forecast, grid_server, hour, hourly, latest, listed
from places import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a verb in an empty directory, with a home of its own and without anyone's token."""

    def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JOULEMARK_", "ELECTRICITYMAPS_", "CO2_SIGNAL_"))
        }
        environment = {**clean, "JOULEMARK_HOME": str(tmp_path / "home"), "COLUMNS": "200", **variables}
        root = ROOT
        return subprocess.run(
            [sys.executable, "-c", "from joulemark.suite.cli.app import main; main()", *arguments],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return start


def document(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["schema_version"] == 1
    return found


def live(path: str, parameters: dict[str, str]) -> Reply:
    """A service whose now is the true one: history 100 g/kWh; forecast 300 with a trough of 30 in 5 to 7 hours."""
    now = hour(datetime.now(UTC))
    if path.endswith("latest"):
        return Reply(latest(value=123, start=now, isEstimated=True, estimationMethod="TIME_SLICER_AVERAGE"))
    if path.endswith("history"):
        return Reply(listed("history", hourly(now - timedelta(hours=23), *[100] * 24)))
    return Reply(forecast(hourly(now, *[300] * 5, 30, 30, *[300] * 18)))


def served(answer: Answer) -> Any:
    return grid_server(answer)


def test_intensity_without_a_token_is_the_table(run: Run) -> None:
    found = document(run("intensity", "ch", "--json"))
    assert (found["g_per_kwh"], found["zone"], found["vintage"], found["fallback"]) == (39.22, "CH", 2025, False)
    assert {"source", "interval_start", "retrieved_at", "is_estimated", "basis", "signal", "reason", "low"} <= set(
        found
    )


def test_intensity_with_a_token(run: Run) -> None:
    with served(live) as server:
        use = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
        found = document(run("intensity", "CH", "--json", "--history", "--forecast", **use))
        assert (found["g_per_kwh"], found["source"], found["is_estimated"]) == (123, "Electricity Maps", True)
        assert len(found["history"]) == 24
        assert [row["g_per_kwh"] for row in found["forecast"]][4:8] == [300, 30, 30, 300]
        requests = len(server.seen)
        shown = run("intensity", "CH", "--history", "--forecast", **use)
        assert len(server.seen) == requests, "the second call should have come from the cache"
    assert shown.returncode == 0
    assert "CH: 123 g/kWh of 20" in shown.stdout
    assert "estimated by the source (TIME_SLICER_AVERAGE)" in shown.stdout
    assert shown.stdout.count("█") > 100
    assert TOKEN not in shown.stdout + shown.stderr


def test_token_is_in_no_file(run: Run, tmp_path: Path) -> None:
    with served(live) as server:
        use = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
        run("intensity", "CH", "--history", **use)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)


def test_offline_and_failures_fall_to_the_table_with_the_reason(run: Run) -> None:
    with served(lambda path, parameters: Reply({"error": "Invalid auth-token"}, 401)) as server:
        use = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
        assert document(run("intensity", "CH", "--offline", "--json", **use))["fallback"] is False
        assert server.seen == []
        found = document(run("intensity", "CH", "--json", **use))
        shown = run("intensity", "CH", **use)
    assert (found["g_per_kwh"], found["fallback"]) == (39.22, True)
    assert "does not accept the token" in found["reason"]
    assert "does not accept the token" in shown.stdout


def test_when(run: Run) -> None:
    with served(live) as server:
        use = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
        found = document(run("when", "CH", "--duration", "2h", "--json", **use))
        shown = run("when", "CH", "--duration", "90min", **use)
        late = run("when", "CH", "--duration", "2h", "--before", "2020-01-01T00:00", **use)
    start = hour(datetime.now(UTC)) + timedelta(hours=5)
    assert found["best"]["g_per_kwh"] == 30
    assert found["now"]["g_per_kwh"] == 300
    assert found["saving"] == pytest.approx(0.9)
    assert abs(datetime.fromisoformat(found["best"]["start"]) - start) <= timedelta(hours=1)
    assert "Waiting saves 90% of the emissions." in shown.stdout
    assert late.returncode == 2
    assert "which is over" in late.stderr


def test_estimate(run: Run) -> None:
    found = document(
        run(
            *("estimate", "--hours", "12", "--cores", "12", "--watts-per-core", "7.5", "--memory-gb", "64"),
            *("--pue", "1.67", "--intensity", "475", "--json"),
        )
    )
    assert found["energy_kwh"] == pytest.approx(2.2813536, rel=1e-12)
    assert found["emissions_g"] == pytest.approx(2.2813536 * 475, rel=1e-12)
    assert [step["name"] for step in found["steps"]][-2:] == ["energy", "emissions"]
    assert found["pue"]["value"] == 1.67


def test_estimate_for_people(run: Run) -> None:
    shown = run("estimate", "--hours", "1", "--gpus", "8", "--watts-per-gpu", "700", "--pue", "uptime-2025")
    assert shown.returncode == 0
    assert "8 GPUs x 700 W x 1" in shown.stdout
    assert "Nothing was measured" in shown.stderr
    assert "world's average" in shown.stderr
    assert "RUN" not in shown.stderr  # there is none to recompute


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["intensity"], "which place?"),
        (["intensity", "UK"], "Did you mean GB"),
        (["intensity", "CH", "--coordinates", "47,8"], "--zone and --coordinates were given"),
        (["intensity", "CH", "--emission-factors", "marginal"], "--emission-factors"),
        (["intensity", "CH", "--history"], "no history for CH: no ELECTRICITYMAPS_API_TOKEN is set"),
        (["intensity", "CH", "--forecast", "--offline"], "no forecast for CH: --offline was given"),
        (["when", "CH"], "no forecast for CH"),
        (["when"], "which place?"),
        (["when", "CH", "--duration", "soon"], "--duration got 'soon'"),
        (["when", "CH", "--duration", "0h"], "--duration got '0h'"),
        (["when", "CH", "--before", "late"], "--before got 'late'"),
        (["estimate"], "hours"),
        (["estimate", "--hours", "-1"], "hours is -1"),
        (["estimate", "--hours", "1"], "which hardware? Give --cores"),
        (["estimate", "--hours", "1e308", "--memory-gb", "9"], "beyond what a computer can count"),
        (["estimate", "--hours", "1", "--usage", "2"], "usage is 2"),
        (["estimate", "--hours", "1", "--cores", "32"], "--cores without --watts-per-core: give both (12 where"),
        (["estimate", "--hours", "1", "--watts-per-gpu", "9"], "--watts-per-gpu without --gpus"),
        (["estimate", "--hours", "1", "--pue", "0.2"], "PUE is 0.2"),
        (["estimate", "--hours", "1", "--psf", "0"], "PSF is 0"),
        (["estimate", "--hours", "1", "--intensity", "lots"], "--intensity got 'lots'"),
        (["estimate", "--hours", "1", "--zone", "ZZ"], "unknown zone 'ZZ'"),
    ],
)
def test_what_cannot_be_is_one_line_and_code_2(run: Run, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("verb", ["intensity CH", "estimate --hours 1 --memory-gb 4 --zone CH"])
def test_verbs_import_nothing_heavy(tmp_path: Path, verb: str) -> None:
    code = (
        "import sys\nfrom joulemark.suite.cli.app import build\n"
        f"build({verb.split(maxsplit=1)[0]!r})({verb.split()!r}, standalone_mode=False)\n"
        "heavy = {'scipy', 'pandas', 'plotly', 'torch', 'tensorflow', 'codecarbon'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "JOULEMARK_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_a_place_that_is_typed_is_stronger_than_what_the_environment_says(run: Run) -> None:
    estimate = ("estimate", "--hours", "1", "--memory-gb", "64", "--json")
    typed = document(run(*estimate, "--zone", "PL", JOULEMARK_INTENSITY="39"))
    plain = document(run(*estimate, "--zone", "PL"))
    assert typed["emissions_g"] == plain["emissions_g"]
    said = document(run(*estimate, JOULEMARK_INTENSITY="39", JOULEMARK_ZONE="PL"))
    assert said["emissions_g"] == pytest.approx(39 * said["energy_kwh"])
    cases = run("run", "--dry-run", "--coordinates", "47.37,8.54", "--offline", "-k", "matmul", JOULEMARK_ZONE="CH")
    assert cases.returncode == 0, cases.stderr
