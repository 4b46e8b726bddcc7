"""A whole run on a live grid, and the same run elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command import FAST, joulemark
from grid_server import TOKEN, Reply, grid_server, hour, hourly, latest, listed

from joulemark.suite.carbon.ember import countries
from joulemark.suite.energy.totals import run_totals
from joulemark.suite.records import RunFile, read

pytest.importorskip("torch")

RUN = ("run", "--profile", "fast", "--workload", "matmul", "--framework", "pytorch", "--rounds", "2", "--no-report")


def live(path: str, parameters: dict[str, str]) -> Reply:
    now = hour(datetime.now(UTC))
    if path.endswith("latest"):
        return Reply(latest(value=123, start=now))
    return Reply(listed("history", hourly(now, 123)))


def measure(home: Path, *more: str, **variables: str) -> RunFile:
    (home / "joulemark.toml").write_text(FAST)
    done = joulemark(home, *RUN, *more, "--json", variables=variables)
    assert done.returncode == 0, done.stderr
    return read(Path(json.loads(done.stdout)["path"]))


def test_run_with_a_token_asks_once_and_keeps_it_secret(tmp_path: Path) -> None:
    with grid_server(live) as server:
        use = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
        file = measure(tmp_path, "--zone", "CH", **use)
        asked = list(server.paths)
    used = file.emissions.intensity
    assert (used.source, used.g_per_kwh, used.zone, used.fallback) == ("Electricity Maps", 123.0, "CH", False)
    # One more where an hour begins while the run lasts.
    assert asked in (["carbon-intensity/latest"], ["carbon-intensity/latest"] * 2 + ["carbon-intensity/history"])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)


def test_failed_look_up_fails_no_run(tmp_path: Path) -> None:
    with grid_server(lambda path, parameters: Reply(None, body=b"<html>")) as server:
        use = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
        file = measure(tmp_path, "--zone", "CH", "--pue", "uptime-2025", "--embodied", "assumed", **use)
    used = file.emissions
    assert (used.intensity.vintage, used.intensity.fallback) == (2025, True)
    assert "not JSON" in (used.intensity.reason or "")
    assert (used.pue.value, used.pue.source) == (1.54, "Uptime Institute, global survey 2025, average")
    assert used.embodied is not None
    assert "intensity_fallback" in {notice.code for notice in file.notices}
    elsewhere(tmp_path, file)


def elsewhere(home: Path, file: RunFile) -> None:
    """`show --what-if` and `report --zone` on the run that was just made: grams change, joules do not."""
    shown = joulemark(home, "show", "latest", "--what-if", "PL", "--what-if", "CH", "--what-if", "SE", "--json")
    rows = json.loads(shown.stdout)["what_if"]
    assert [row["zone"] for row in rows] == ["SE", "CH", "PL"]
    total = run_totals(file).run
    for row in rows:
        expected = total.facility_energy_j / 3.6e6 * countries()[row["zone"]].g_per_kwh
        assert row["emissions_g"] == pytest.approx(expected)
        assert row["facility_energy_j"] == total.facility_energy_j
    people = joulemark(home, "show", "latest", "--what-if", "PL")
    assert "PL  Poland" in people.stdout
    page = home / "elsewhere.md"
    assert joulemark(home, "report", "latest", "--zone", "PL", "--pue", "1.1", "-o", str(page)).returncode == 0
    assert "588.6" in page.read_text(encoding="utf-8")
    wrong = joulemark(home, "show", "latest", "--what-if", "UK")
    assert (wrong.returncode, len(wrong.stderr.strip().splitlines())) == (2, 1)


@pytest.mark.parametrize(
    "more", [["--zone", "UK"], ["--pue", "0.5"], ["--coordinates", "x"], ["--intensity", "no.csv"]]
)
def test_what_cannot_be_is_said_before_anything_is_measured(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "joulemark.toml").write_text(FAST)
    for dry in ([], ["--dry-run"]):
        done = joulemark(tmp_path, *RUN, *more, *dry)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("*.json"))
