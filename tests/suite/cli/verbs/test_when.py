"""`joulemark when`, on a forecast with a trough in 5 hours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import joulemark
from grid_server import grid_server, hour
from live_grid import live_answer, service_variables

pytestmark = pytest.mark.slow


def test_best_window_and_saving(tmp_path: Path) -> None:
    with grid_server(live_answer) as server:
        variables = service_variables(server)
        done = joulemark(tmp_path, "when", "CH", "--duration", "2h", "--json", variables=variables)
        shown = joulemark(tmp_path, "when", "CH", "--duration", "90min", variables=variables)
        late = joulemark(
            tmp_path, "when", "CH", "--duration", "2h", "--before", "2020-01-01T00:00", variables=variables
        )
    assert done.returncode == 0, done.stderr
    advice = json.loads(done.stdout)
    start = hour(datetime.now(UTC)) + timedelta(hours=5)
    assert advice["schema_version"] == 1
    assert advice["best"]["g_per_kwh"] == 30
    assert advice["now"]["g_per_kwh"] == 300
    assert advice["saving"] == pytest.approx(0.9)
    assert abs(datetime.fromisoformat(advice["best"]["start"]) - start) <= timedelta(hours=1)
    assert "90%" in shown.stdout
    assert late.returncode == 2
    assert "--before" in late.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "joulemark when CH"),
        (["CH"], "no forecast for CH"),
        (["CH", "--duration", "soon"], "--duration got 'soon'"),
        (["CH", "--duration", "0h"], "--duration got '0h'"),
        (["CH", "--before", "late"], "--before got 'late'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], text: str) -> None:
    done = joulemark(tmp_path, "when", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
