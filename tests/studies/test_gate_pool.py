"""The gate on real trials: the kept pool, judged anew by the code as it is now."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from places import ROOT

COUNT = 200


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The study of studies/gate.py, with few comparisons a row."""
    target = tmp_path_factory.mktemp("study") / "gate.json"
    wanted = ("pool", "as_measured", "no_difference", "power")
    command = [sys.executable, "-m", "studies.gate", str(COUNT), str(target), *wanted]
    subprocess.run(command, check=False, capture_output=True, timeout=300, cwd=ROOT)
    return json.loads(target.read_text())


def rows(study: dict[str, Any], section: str, **wanted: object) -> list[dict[str, Any]]:
    found = [row for row in study[section] if all(row[key] == value for key, value in wanted.items())]
    assert found
    return found


def test_the_kept_study_is_of_this_pool(study: dict[str, Any]) -> None:
    kept = json.loads((ROOT / "docs" / "results" / "gate-2-cores.json").read_text())
    assert study["pool"]["base_trials"] == kept["pool"]["base_trials"] >= 320
    assert study["pool"]["step_time_ratio"] == {
        arm: pytest.approx(ratio, rel=1e-9) for arm, ratio in kept["pool"]["step_time_ratio"].items()
    }
    assert all(row["comparisons"] == 10_000 for row in kept["no_difference"])


def test_turn_by_turn_it_is_quiet(study: dict[str, Any]) -> None:
    for row in rows(study, "no_difference", kind="turn by turn"):
        # At a true rate of 1 %, 7 or more of 200 come once in 250 times; the draws are the same each time.
        assert row["regressed"]["hits"] <= 6, row
        assert row["one process, mean:5%"]["rate"] > 0.1, "the pool is a noisy one"
    for row in rows(study, "as_measured", kind="turn by turn"):
        assert row["regressed"]["low"] <= 0.01, row


def test_it_sees_more_work(study: dict[str, Any]) -> None:
    seen = {row["rounds"]: row["regressed"]["rate"] for row in rows(study, "power", kind="turn by turn", arm="+20 %")}
    assert seen[30] >= 0.9
    assert seen[30] >= seen[3]
    (nothing,) = rows(study, "power", kind="turn by turn", arm="+5 %", rounds=5)
    assert nothing["regressed"]["rate"] <= 0.1, "what is within the threshold is no regression"
