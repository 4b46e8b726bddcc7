"""`joulemark check` on real trials of a workload that does far more work the second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import FAST_ROUNDS, joulemark
from environments import known, require
from places import SUPPORT

pytestmark = pytest.mark.slow
require("torch")

LADEN = SUPPORT / "laden"
RUN = ("run", "--profile", "fast", "--workload", "laden", "--size", "given", "--size", "restless")
OPTIONS = ("--framework", "pytorch", "--threads", "1", "--rounds", "5", "--offline", "--no-report", *known("pytorch"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep two runs and the first as baseline `main`.

    Size `given` takes some ten thousand times as long in the second. A gate takes what it does not know of a machine's
    drift from how trials vary: on a busy machine by a factor of two and more, and then a hundred times are in doubt.
    `restless` varies from trial to trial in both.
    """
    home = tmp_path_factory.mktemp("gate")
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    for products in ("0", "150"):
        variables = {"PYTHONPATH": str(LADEN), "LADEN_PRODUCTS": products, "LADEN_COUNT": str(home / f"n-{products}")}
        done = joulemark(home, *RUN, *OPTIONS, variables=variables)
        assert done.returncode == 0, done.stderr
        if products == "0":
            saved = joulemark(home, "baseline", "save", "main")
            assert saved.returncode == 0, saved.stderr
    return home


def test_slowed_workload_is_a_regression_that_the_markdown_names(home: Path) -> None:
    done = joulemark(home, "check", "--baseline", "main", "--markdown")
    assert done.returncode == 1, done.stdout + done.stderr
    speed, work = [line for line in done.stdout.splitlines() if line.startswith("- Regressed: ")]
    assert "laden:given/inference/pytorch/eager/cpu/fp32/b1: throughput fell " in speed
    assert "laden:given/inference/pytorch/eager/cpu/fp32/b1: more work a step: operators " in work
    assert done.stderr.startswith("REGRESSION: ")
    assert " regressed, 1 in doubt" in done.stderr
    assert joulemark(home, "check", "--baseline", "main", "--advisory").returncode == 0


def test_noisy_tie_is_in_doubt(home: Path) -> None:
    settings = home / "joulemark.toml"
    settings.write_text(FAST_ROUNDS + '\n[thresholds]\n"laden:given*" = { throughput = "off" }\n')
    done = joulemark(home, "check", "--baseline", "main", "--json", "--threshold", "work:off")
    settings.write_text(FAST_ROUNDS)
    assert done.returncode == 4, done.stdout + done.stderr
    (judged,) = [each for each in json.loads(done.stdout)["comparisons"] if each["metric"] == "throughput"]
    assert (judged["b"].split("/")[0], judged["gate"]) == ("laden:restless", "in doubt")
    assert judged["low"] < 1 < judged["high"]


def test_energy_without_a_sensor_does_not_pass_if_asked_for(home: Path) -> None:
    comparisons = json.loads(joulemark(home, "check", "--baseline", "main", "--json").stdout)["comparisons"]
    if any(each["metric"] == "energy" and not each["estimated"] for each in comparisons):
        pytest.skip("this machine has a sensor")
    thresholds = ("--threshold", "throughput:off", "--threshold", "energy:5%")
    done = joulemark(home, "check", "--baseline", "main", *thresholds)
    assert (done.returncode, done.stdout) == (3, "")
    assert "measured" in done.stderr
