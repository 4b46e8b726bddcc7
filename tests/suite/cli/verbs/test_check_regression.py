"""The gate, end to end: real trials of a workload that does more work the second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import FAST, joulemark
from places import SUPPORT

pytest.importorskip("torch")

LADEN = SUPPORT / "laden"
RUN = ("run", "--profile", "fast", "--workload", "laden", "--size", "given", "--size", "restless")
FORMS = ("--framework", "pytorch", "--threads", "1", "--rounds", "3", "--offline", "--no-report")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: size `given` does a hundred times the work in the second, which any machine shows; `restless` jumps
    from trial to trial in both."""
    home = tmp_path_factory.mktemp("gate")
    (home / "joulemark.toml").write_text(FAST)
    for times in ("1", "100"):
        variables = {"PYTHONPATH": str(LADEN), "LADEN_TIMES": times, "LADEN_COUNT": str(home / f"count-{times}")}
        done = joulemark(home, *RUN, *FORMS, variables=variables)
        assert done.returncode == 0, done.stderr
        if times == "1":
            saved = joulemark(home, "baseline", "save", "main")
            assert saved.returncode == 0, saved.stderr
    return home


def test_a_slowed_workload_is_a_regression_that_the_markdown_names(home: Path) -> None:
    done = joulemark(home, "check", "--baseline", "main", "--markdown")
    assert done.returncode == 1, done.stdout + done.stderr
    named = [line for line in done.stdout.splitlines() if line.startswith("- Regressed: ")]
    assert len(named) == 1
    assert "laden:given/inference/pytorch/eager/cpu/fp32/b1: throughput fell " in named[0]
    assert done.stderr.startswith("REGRESSION: 1 regressed, 1 in doubt.")
    assert joulemark(home, "check", "--baseline", "main", "--advisory").returncode == 0


def test_a_noisy_tie_is_in_doubt(home: Path) -> None:
    settings = home / "joulemark.toml"
    settings.write_text(FAST + '\n[thresholds]\n"laden:given*" = { throughput = "off" }\n')
    done = joulemark(home, "check", "--baseline", "main", "--json")
    settings.write_text(FAST)
    assert done.returncode == 4, done.stdout + done.stderr
    judged = [one for one in json.loads(done.stdout)["comparisons"] if one["metric"] == "throughput"]
    assert [(one["b"].split("/")[0], one["gate"]) for one in judged] == [("laden:restless", "in doubt")]
    assert judged[0]["low"] < 1 < judged[0]["high"]


def test_energy_that_was_not_measured_is_no_pass_where_it_was_asked_for(home: Path) -> None:
    found = json.loads(joulemark(home, "check", "--baseline", "main", "--json").stdout)
    measured = any(one["metric"] == "energy" and not one["estimated"] for one in found["comparisons"])
    if measured:
        pytest.skip("this machine has a sensor")
    wide = ("--threshold", "throughput:off", "--threshold", "energy:5%")
    done = joulemark(home, "check", "--baseline", "main", *wide)
    assert (done.returncode, done.stdout) == (3, "")
    assert "measured" in done.stderr
