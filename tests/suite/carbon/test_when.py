"""The best hours to run, by the forecast of a server on loopback."""

from __future__ import annotations

from datetime import timedelta

import pytest
from grid_server import NOW, TOKEN, Answer, Reply, forecast, good, grid_server, hour, hourly, latest

from joulemark.suite.carbon.location import by_zone
from joulemark.suite.carbon.series import Basis
from joulemark.suite.carbon.service import Service, from_environment
from joulemark.suite.carbon.when import Advice, advise
from joulemark.suite.errors import UsageError

HOUR = timedelta(hours=1)


def service(url: str, factors: Basis = "lifecycle") -> Service:
    environment = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": url}
    return from_environment(False, factors, None, environment, lambda: NOW, 2.0, 0.01)


def advice_from(answer: Answer, duration: timedelta = 2 * HOUR, **more: object) -> Advice:
    with grid_server(answer) as server:
        return advise(service(server.url), by_zone("CH"), duration, NOW, **more)  # type: ignore[arg-type]


def forecasting(*values: float, start_in: int = 0) -> Answer:
    def answer(path: str, parameters: dict[str, str]) -> Reply:
        if path.endswith("forecast"):
            return Reply(forecast(hourly(hour(NOW) + start_in * HOUR, *values)))
        return Reply(latest(value=500))

    return answer


def test_best_window_is_compared_with_now() -> None:
    # It is 12:20. Now: 40 min at 300, 60 at 200, 20 at 100. Best: 14:00-16:00 at 100 and 50.
    advice = advice_from(forecasting(300, 200, 100, 50, 400))
    assert advice.now.g_per_kwh == pytest.approx((40 * 300 + 60 * 200 + 20 * 100) / 120)
    assert (advice.best.start, advice.best.g_per_kwh) == (hour(NOW) + 2 * HOUR, pytest.approx(75))
    assert advice.saving == pytest.approx(1 - 75 / advice.now.g_per_kwh)


def test_without_a_saving_the_best_window_is_now() -> None:
    advice = advice_from(forecasting(100, 100, 100, 100))
    assert (advice.best.start, advice.saving) == (NOW, pytest.approx(0))
    with grid_server(forecasting(0, 0, 0, 0)) as server:  # only direct factors can be 0
        advice = advise(service(server.url, "direct"), by_zone("CH"), 2 * HOUR, NOW)
    assert (advice.best.start, advice.saving) == (NOW, 0)


def test_best_window_ends_before_the_limit() -> None:
    advice = advice_from(forecasting(300, 200, 100, 50, 1), before=NOW + 2.5 * HOUR)
    assert advice.best.end == NOW + 2.5 * HOUR


def test_current_hour_comes_from_the_latest_value() -> None:
    advice = advice_from(forecasting(200, 200, 200, start_in=1), 1 * HOUR)
    assert advice.now.g_per_kwh == pytest.approx((40 * 500 + 20 * 200) / 60)
    assert advice.best.start == hour(NOW) + HOUR


@pytest.mark.parametrize(
    ("answer", "duration", "before", "pattern"),
    [
        (forecasting(1, 2, 3), 4 * HOUR, None, r"4 h do not fit between now .* the end of the forecast"),
        (forecasting(1, 2, 3), 2 * HOUR, NOW + HOUR, r"2 h do not fit .* the time given"),
        (
            lambda p, q: Reply({"error": "Invalid auth-token"}, 401),
            HOUR,
            None,
            "no forecast for CH: it rejects",
        ),
        (lambda p, q: Reply({}, 500), HOUR, None, "no forecast for CH: it failed with status 500"),
    ],
)
def test_errors_are_one_line(answer: Answer, duration: timedelta, before: object, pattern: str) -> None:
    with pytest.raises(UsageError, match=pattern) as caught:
        advice_from(answer, duration, before=before)
    assert "\n" not in str(caught.value)


def test_without_a_token() -> None:
    unused = from_environment(False, "lifecycle", None, {}, lambda: NOW)
    with pytest.raises(UsageError, match="no ELECTRICITYMAPS_API_TOKEN is set"):
        advise(unused, by_zone("CH"), HOUR, NOW)


def test_shorter_forecast_where_the_plan_does_not_include_72_hours() -> None:
    def answer(path: str, parameters: dict[str, str]) -> Reply:
        if parameters.get("horizonHours") == "72":
            return Reply({"error": "do not have access"}, 401)
        return good(path, parameters)

    assert len(advice_from(answer).forecast.points) == 25
