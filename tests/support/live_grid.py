"""Answers of a carbon intensity service at the present hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from grid_server import TOKEN, GridServer, Reply, forecast, hour, hourly, latest, listed


def live_answer(path: str, parameters: dict[str, str]) -> Reply:
    """Answer with 123 g/kWh now, 100 in the past day, and a forecast of 300 with a trough of 30 in 5 to 7 hours."""
    now = hour(datetime.now(UTC))
    if path.endswith("latest"):
        return Reply(latest(value=123, start=now, isEstimated=True, estimationMethod="TIME_SLICER_AVERAGE"))
    if path.endswith("history"):
        return Reply(listed("history", hourly(now - timedelta(hours=23), *[100] * 24)))
    return Reply(forecast(hourly(now, *[300] * 5, 30, 30, *[300] * 18)))


def service_variables(server: GridServer) -> dict[str, str]:
    """Return the environment variables that make a command use `server`."""
    return {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
