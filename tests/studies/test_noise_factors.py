"""The study of hash seeds, huge pages and NUMA: its estimates on simulated rounds, and what a machine can run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies.noise_factor_shares import shares, table
from studies.noise_factors import (
    ANYWHERE,
    ARMS,
    BASE,
    CORES,
    ONE_NODE,
    RESERVED,
    SERVERS,
    TRIALS,
    arms_here,
    cores,
    thp,
)


def simulated(count: int, seed: int, faster: float = 0.0, servers: float = 0.03) -> list[list[dict[str, Any]]]:
    """Return rounds whose machine varies by 10 %, trials by 2 %, servers of the base by 3 % and of `other` by
    `servers`."""
    random = np.random.default_rng(seed)
    rounds = []
    for _ in range(count):
        state, trials = random.normal(0, 0.1), []
        for arm, mean, deviation in ((BASE, 0.0, 0.03), ("other", -faster, servers)):
            for server in range(SERVERS):
                its = random.normal(0, deviation)
                for _ in range(TRIALS):
                    step_s = 0.01 * math.exp(state + mean + its + random.normal(0, 0.02))
                    trials.append({"arm": arm, "server": server, "step_s": step_s, "huge_pages": 3})
        rounds.append(trials)
    return rounds


def test_variances_and_ratio_are_those_of_the_simulation() -> None:
    """Of a variance of 0.03^2 + 0.02^2 between processes, servers that are all alike remove 9 / 13."""
    found = shares(simulated(800, 1, faster=0.05, servers=0.0), "other")
    assert found.ratio == pytest.approx(math.exp(-0.05), rel=0.004)
    assert found.trials == pytest.approx(0.02, rel=0.07)
    assert found.servers < 0.008
    assert found.removed == pytest.approx(9 / 13, abs=0.06)
    base = shares(simulated(800, 1), BASE)
    assert (base.trials, base.servers) == (pytest.approx(0.02, rel=0.07), pytest.approx(0.03, rel=0.1))


def test_intervals_hold_what_is_true() -> None:
    equal = [shares(simulated(30, seed), "other") for seed in range(100)]
    ratios = sum(each.ratio_interval[0] <= 1 <= each.ratio_interval[1] for each in equal)
    removed = sum(each.removed_interval[0] <= 0 <= each.removed_interval[1] for each in equal)
    assert ratios >= 88  # of 100 at 95 %: fewer by chance in 1 of 300
    assert removed >= 85  # a percentile bootstrap of 30 rounds is a little too narrow
    rounds = simulated(60, 7, servers=0.0)
    assert shares(rounds, "other", confidence=0.975).helps
    assert "other helps" in table(rounds, {"third": "this machine has none"}, "madvise")
    assert "other does not help beyond" in table(simulated(30, 1), {}, "always")
    assert "9 rounds are too few" in table(simulated(9, 1), {}, "always")


def test_arms_are_those_that_the_machine_can_run(tmp_path: Path) -> None:
    small = {"kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n"}
    large = {
        "kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
        "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "64\n",
        "devices/system/node/node0/cpulist": f"{min(CORES)}\n",
        "devices/system/node/node1/cpulist": f"{min(CORES) + 1}-{max(CORES) + 1}\n",
    }
    for name, files in (("small", small), ("large", large)):
        for path, text in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
    arms, left_out = arms_here(tmp_path / "small")
    assert set(arms) == ARMS.keys() - {"transparent huge pages"}
    assert set(left_out) == {"transparent huge pages", RESERVED, ONE_NODE}
    assert left_out[ONE_NODE] == "this machine has no NUMA nodes"
    arms, left_out = arms_here(tmp_path / "large")
    assert thp(tmp_path / "large") == "always"
    if len(CORES) > 1:
        assert (set(arms), left_out) == ({*ARMS, RESERVED, ANYWHERE, ONE_NODE}, {})
        assert (arms[ANYWHERE].cores, arms[ONE_NODE].cores) == (CORES, {min(CORES)})
    assert cores("0-3,8\n") == {0, 1, 2, 3, 8}
