"""`joulemark run --sensor ... --second-opinion`: named sensors from the command line to the run file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark

pytestmark = pytest.mark.slow

TINY = ("--workload", "matmul", "--framework", "pytorch", "--size", "tiny", "--rounds", "2", "--no-report")


def test_a_simulated_run_says_so_and_stands_beside_the_second_opinion(tmp_path: Path) -> None:
    done = joulemark(tmp_path, "run", *TINY, "--sensor", "simulated:a100/telegraph", "--second-opinion", "--json")
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
    opinion = run["second_opinion"]
    assert opinion["reason"] is None
    assert opinion["energy_j"]["ram"] > 0
    assert opinion["energy_j"]["gpu"] is None
    assert [energy["component"] for energy in opinion["ours"]][:1] == ["package"]
    assert any(text.startswith("cpu:") for text in opinion["differences"])


@pytest.mark.parametrize(
    ("sensor", "words"),
    [
        ("rapel", "unknown sensor 'rapel'. Did you mean 'rapl'?"),
        ("simulated:h100", "unknown simulated sensor 'h100'"),
        ("replay:/nowhere.json", "cannot read /nowhere.json"),
        ("meter:/nowhere.csv", "cannot read the meter's file /nowhere.csv"),
        ("nvml:0", "sensor nvml takes no argument"),
        ("rapl:core", "Give --sensor rapl or --sensor rapl:psys"),
    ],
)
def test_a_sensor_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path, sensor: str, words: str) -> None:
    done = joulemark(tmp_path, "run", *TINY, "--dry-run", "--sensor", sensor)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
