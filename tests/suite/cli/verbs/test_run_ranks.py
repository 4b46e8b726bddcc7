"""`joulemark run --ranks`: efficiency against baselines of the same rounds, and the communication that shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from command import FAST_ROUNDS, joulemark
from environments import known, require

pytestmark = pytest.mark.slow
require("tensorflow")

ROUNDS = 2
STRATEGY = "multiworker"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the cases of a run of the smallest workload on one rank and on two, by what their ids say of ranks."""
    home = tmp_path_factory.mktemp("ranks")
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    done = joulemark(
        home,
        *("run", "--profile", "fast", "--zone", "CH", "--sensor", "simulated:rapl/constant", "--json", *known()),
        *("--rounds", f"{ROUNDS}", "--threads", "1", "--workload", "mlp", "--size", "tiny"),
        *("--framework", "tensorflow", "--ranks", "2", "--strategy", STRATEGY),
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return {case["id"].partition("+")[2]: case for case in json.loads(done.stdout)["cases"]}


def test_a_case_has_its_baselines_and_all_were_measured(cases: dict[str, Any]) -> None:
    of_strategy = (f"ranks={ranks}+strategy={STRATEGY}" for ranks in (1, 2))
    assert cases.keys() == {"", "communication=none+ranks=2", *of_strategy}
    assert {len(case["trials"]) for case in cases.values()} == {ROUNDS}
    assert {case["status"] for case in cases.values()} == {"ok"}


def test_efficiency_has_an_interval_and_exposed_communication_shows(cases: dict[str, Any]) -> None:
    case = cases[f"ranks=2+strategy={STRATEGY}"]
    efficiency = case["efficiency"]
    for number in (efficiency, efficiency["of_one_rank"], efficiency["of_ranks_apart"], efficiency["energy_ratio"]):
        assert 0 < number["low"] < number["value"] < number["high"]
        assert number["n"] == ROUNDS
    exposed = efficiency["exposed_communication_s"]
    assert exposed["low"] < exposed["value"] < exposed["high"]
    for trial in case["trials"]:
        assert [rank["rank"] for rank in trial["ranks"]] == [0, 1]
        assert all(rank["own_s"] > 0 for rank in trial["ranks"])
        assert trial["environment"]["backend"] == "RING"
        assert trial["training"]["learning_rate_factor"] == pytest.approx(1e-9)
