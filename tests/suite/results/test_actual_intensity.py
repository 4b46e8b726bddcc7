"""A finished run recomputed with the intensity of its own hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from grid_client import always, service
from grid_server import NOW, GridServer, good, grid_server
from run_files import run_file, trace

from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.records import RunFile, Settings
from joulemark.suite.results.recompute import recompute_with_actual_intensity

SETTINGS = Settings(zone="CH")


def finished_run(server: GridServer, start: datetime, end: datetime, cache: Path | None = None) -> RunFile:
    """Return a run that resolved its intensity when it began."""
    file = run_file()
    run = file.run.model_copy(update={"started_at": start.isoformat(), "finished_at": end.isoformat()})
    emissions, _ = resolve(SETTINGS, NOW, service(server, cache=cache))
    return file.model_copy(update={"run": run, "settings": SETTINGS, "emissions": emissions})


def test_short_run_sends_no_other_request(tmp_path: Path) -> None:
    end = NOW + timedelta(minutes=2)
    with grid_server(good) as server:
        file = finished_run(server, NOW, end, tmp_path)
        updated = recompute_with_actual_intensity(file, end, service(server, cache=tmp_path))
        assert len(server.requests) == 1
    assert (updated.emissions.intensity.g_per_kwh, updated.emissions.intervals) == (112.0, ())


def test_run_over_several_hours_gets_each_of_them() -> None:
    with grid_server(good) as server:
        file = finished_run(server, NOW - timedelta(hours=2), NOW)
        # 100 W in the first hour, 200 W in the second.
        times_s = tuple(float(t) for t in range(0, 7201, 10))
        joules = tuple(100.0 * t if t <= 3600 else 360_000 + 200.0 * (t - 3600) for t in times_s)
        channel = trace(1.0).channels[0].model_copy(update={"values": joules})
        long_trace = trace(1.0).model_copy(update={"t_s": times_s, "channels": (channel,)})
        file = file.model_copy(update={"traces": (long_trace,)})
        updated = recompute_with_actual_intensity(file, NOW, service(server))
        assert server.paths == ["carbon-intensity/latest", "carbon-intensity/latest", "carbon-intensity/history"]
    assert [interval.g_per_kwh for interval in updated.emissions.intervals] == [110, 111, 112]
    # 10:20-11:00 at 110, 11:00-11:20 at 111, both under 100 W; 11:20-12:00 at 111, 12:00-12:20 at 112 under 200 W.
    expected = (110 * 40 * 100 + 111 * 20 * 100 + 111 * 40 * 200 + 112 * 20 * 200) / (60 * 100 + 60 * 200)
    intensity = updated.emissions.intensity
    assert intensity.g_per_kwh == pytest.approx(expected, rel=1e-6)
    assert (intensity.low, intensity.high) == (110, 112)


def test_run_is_unchanged_where_the_service_fails_afterwards() -> None:
    end = NOW + timedelta(hours=3)
    with grid_server(good) as server:
        file = finished_run(server, NOW, end)
        server.answer = always({}, 500)
        assert recompute_with_actual_intensity(file, end, service(server)) == file
