"""`joulemark intensity`, with and without a token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import joulemark
from grid_server import TOKEN, Reply, grid_server
from live_grid import live_answer, service_variables

pytestmark = pytest.mark.slow


def document(home: Path, *arguments: str, variables: dict[str, str] | None = None) -> dict[str, Any]:
    done = joulemark(home, "intensity", *arguments, "--json", variables=variables)
    assert done.returncode == 0, done.stderr
    intensity: dict[str, Any] = json.loads(done.stdout)
    assert intensity["schema_version"] == 1
    return intensity


def test_yearly_value_without_a_token(tmp_path: Path) -> None:
    intensity = document(tmp_path, "ch")
    assert (intensity["g_per_kwh"], intensity["zone"], intensity["vintage"]) == (39.22, "CH", 2025)
    assert not intensity["fallback"]
    assert {"source", "interval_start", "retrieved_at", "is_estimated", "basis", "signal", "reason", "low"} <= set(
        intensity
    )


def test_live_value_history_and_forecast(tmp_path: Path) -> None:
    with grid_server(live_answer) as server:
        variables = service_variables(server)
        intensity = document(tmp_path, "CH", "--history", "--forecast", variables=variables)
        requests = len(server.requests)
        shown = joulemark(tmp_path, "intensity", "CH", "--history", "--forecast", variables=variables)
        assert len(server.requests) == requests, "the second call should have come from the cache"
    assert (intensity["g_per_kwh"], intensity["source"], intensity["is_estimated"]) == (123, "Electricity Maps", True)
    assert len(intensity["history"]) == 24
    assert [row["g_per_kwh"] for row in intensity["forecast"]][4:8] == [300, 30, 30, 300]
    assert shown.returncode == 0
    assert "CH: 123 g/kWh of 20" in shown.stdout
    assert "TIME_SLICER_AVERAGE" in shown.stdout
    assert shown.stdout.count("█") > 100
    assert TOKEN not in shown.stdout + shown.stderr


def test_token_is_in_no_file(tmp_path: Path) -> None:
    with grid_server(live_answer) as server:
        joulemark(tmp_path, "intensity", "CH", "--history", variables=service_variables(server))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)


def test_offline_makes_no_request_and_failure_falls_back_with_its_reason(tmp_path: Path) -> None:
    with grid_server(lambda path, parameters: Reply({"error": "Invalid auth-token"}, 401)) as server:
        variables = service_variables(server)
        assert document(tmp_path, "CH", "--offline", variables=variables)["fallback"] is False
        assert server.requests == []
        intensity = document(tmp_path, "CH", variables=variables)
        shown = joulemark(tmp_path, "intensity", "CH", variables=variables)
    assert (intensity["g_per_kwh"], intensity["fallback"]) == (39.22, True)
    assert "token" in intensity["reason"]
    assert intensity["reason"] in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "joulemark intensity CH"),
        (["UK"], "GB"),
        (["CH", "--coordinates", "47,8"], "--zone and --coordinates"),
        (["CH", "--emission-factors", "marginal"], "--emission-factors"),
        (["CH", "--history"], "ELECTRICITYMAPS_API_TOKEN"),
        (["CH", "--forecast", "--offline"], "--offline"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], text: str) -> None:
    done = joulemark(tmp_path, "intensity", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
