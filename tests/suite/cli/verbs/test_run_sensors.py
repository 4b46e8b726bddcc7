"""`joulemark run --sensor ... --second-opinion`: named sensors from the command line to the run file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import FAST, joulemark
from environments import known

pytestmark = pytest.mark.slow

TINY = ("--workload", "matmul", "--framework", "pytorch", "--size", "tiny", "--rounds", "1", "--threads", "1")


def test_simulated_run_has_a_notice_and_an_external_tracker_alongside(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text(FAST.replace("window_s = 0.3", "window_s = 1.5"))  # it updates each 0.1 s
    sensors = ("--sensor", "simulated:a100/telegraph", "--second-opinion", *known("pytorch"))
    done = joulemark(tmp_path, "run", "--profile", "fast", *TINY, *sensors, "--no-report", "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["settings"]["sensor"] == ["simulated:a100/telegraph"]
    assert {notice["code"] for notice in run["notices"]} >= {"simulated"}
    (case,) = run["cases"]
    trials = [trial for trial in case["trials"] if trial["status"] == "ok"]
    assert trials, [trial["reason"] for trial in case["trials"]]
    assert case["summary"]["energy_per_item_j"]["kind"] == "counter"
    assert case["summary"]["energy_per_item_j"]["lower_bound"]
    assert trials[0]["energy"][0]["residual"] == pytest.approx(0.0, abs=0.5)
    tracker = run["second_opinion"]
    assert tracker["reason"] is None
    assert tracker["energy_j"]["ram"] > 0
    assert tracker["energy_j"]["gpu"] is None
    assert [energy["component"] for energy in tracker["ours"]][:1] == ["package"]
    assert any(text.startswith("cpu:") for text in tracker["differences"])


@pytest.mark.parametrize(
    ("sensor", "text"),
    [
        ("rapel", "unknown sensor 'rapel'. Did you mean 'rapl'?"),
        ("simulated:h100", "unknown simulated sensor 'h100'"),
        ("replay:/nowhere.json", "cannot read /nowhere.json"),
        ("meter:/nowhere.csv", "cannot read the meter's file /nowhere.csv"),
        ("nvml:0", "sensor nvml takes no argument"),
        ("rapl:core", "Give --sensor rapl or --sensor rapl:psys"),
    ],
)
def test_sensor_that_cannot_be_used_is_one_line_and_exit_2(tmp_path: Path, sensor: str, text: str) -> None:
    done = joulemark(tmp_path, "run", *TINY, "--dry-run", "--sensor", sensor)
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
