"""A meter session: what its requests are computed with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.meter.session import MeterSession
from joulemark.suite.settings import FROM_ENVIRONMENT

SENSOR = "simulated:rapl/constant"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MeterSession]:
    monkeypatch.chdir(tmp_path)
    for name in FROM_ENVIRONMENT:
        monkeypatch.delenv(f"JOULEMARK_{name.upper()}", raising=False)
    (tmp_path / "joulemark.toml").write_text(f"sensor = {SENSOR!r}\npue = 1.1\npsf = 3\n")
    session = MeterSession.open(tmp_path)
    yield session
    session.close()


def test_settings_come_from_arguments_environment_and_file(
    monkeypatch: pytest.MonkeyPatch, session: MeterSession
) -> None:
    assert (session.sensors, len(session.sensors_found()["sensors"])) == ((SENSOR,), 1)
    monkeypatch.setenv("JOULEMARK_PUE", "1.2")
    monkeypatch.setenv("JOULEMARK_INTENSITY", "39")
    begin_s = time.monotonic()
    time.sleep(0.1)
    request = {"windows": [(begin_s, time.monotonic())]}

    def pue_and_intensity(**given: object) -> tuple[float, float]:
        (window,) = session.read({**request, "given": given})["windows"]
        return window["pue"]["value"], window["intensity"]["g_per_kwh"]

    assert pue_and_intensity() == (1.2, 39.0)
    assert pue_and_intensity(pue=1.3, intensity=100) == (1.3, 100.0)
    monkeypatch.delenv("JOULEMARK_PUE")
    assert pue_and_intensity() == (1.1, 39.0)


def test_arguments_are_checked_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, session: MeterSession
) -> None:
    assert session.check({"given": {"zone": "CH"}, "about": {"batch_size": 32}}) == {}
    for request in ({"given": {"zone": "XQ"}}, {"given": {}, "about": {"colour": "red"}}):
        with pytest.raises(UsageError, match=r"XQ|colour"):
            session.check(request)
    monkeypatch.setenv("JOULEMARK_PSF", "much")
    with pytest.raises(UsageError, match=r"^JOULEMARK_PSF: "):
        session.check({"given": {}})


def test_an_unknown_sensor_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="crystal"):
        MeterSession.open(tmp_path, ["crystal"])
