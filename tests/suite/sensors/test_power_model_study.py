"""The study of the power model: its statistics, and that what is kept follows from the published files."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from places import DOCS
from scipy import stats

from studies.left_out import Machine, evaluate, interval_score, lower_bound, range_of
from studies.power_model import DATA, aggregates, half_load, read, study, tables, thread_power
from studies.power_model_data import Server, architecture_of_name, short_name

SOURCES = "JOULEMARK_POWER_MODEL_SOURCES"
"""The four files of `python -m studies.power_model`, with colons in between."""


def kept(name: str) -> dict[str, object]:
    return dict(json.loads((DATA / name).read_text(encoding="utf-8")))


@pytest.mark.slow
def test_what_is_kept_follows_from_the_published_files() -> None:
    paths = os.environ.get(SOURCES, "").split(os.pathsep)
    if len(paths) != 4 or not all(Path(path).exists() for path in paths):
        pytest.skip(f"{SOURCES} does not name the published files (docs/power.md says where they are)")
    sources = read(paths)
    assert kept("aggregates.json") == json.loads(json.dumps(aggregates(sources)))
    assert kept("ranges.json") == study(sources)


def test_the_page_has_the_tables() -> None:
    document = kept("ranges.json")
    page = (DOCS / "power.md").read_text(encoding="utf-8")
    assert all(table in page for table in tables(document).split("\n\n"))
    row = dict(document["all_loads"])  # type: ignore[call-overload]
    assert f"{row['covered']} of {row['machines']}" in page
    assert f"at least {row['coverage_low']:.0%}" in page


def test_no_published_table_is_kept() -> None:
    assert sorted(path.name for path in DATA.iterdir()) == ["aggregates.json", "ranges.json"]


def test_power_is_the_median_over_processors_of_their_machines() -> None:
    size = {"vendor": "", "system": "", "architecture": "", "cores": 2, "threads": 4}
    servers = [
        Server(cpu=cpu, memory_gb=memory_gb, idle_w=4 * watts, full_w=12 * watts, **size)
        for cpu, memory_gb, watts in (("a", 4.0, 1.0), ("a", None, 2.0), ("a", 8.0, 9.0), ("b", 16.0, 4.0))
    ]
    power = thread_power(servers)
    assert (power.machines, power.idle_w, power.full_w, power.memory_gb, power.threads_per_core) == (4, 3, 9, 2.75, 2)
    assert half_load([tuple(float(w) for w in range(100, 201, 10)), (100.0,) * 11]) == 0.5


def test_coverage_is_of_machines_that_were_left_out() -> None:
    usual = [Machine(f"{i}", "", (1.0 - i / 1000, 1.0 + i / 1000)) for i in range(20)]
    strange = Machine("strange", "", (9.0, 10.0))
    assert range_of([*usual, strange]) == (0.981, 10.0)
    assert evaluate([*usual, strange])["covered"] == evaluate(usual)["covered"]
    many = [Machine(f"{i}", "", (1 / i, float(i))) for i in range(1, 100)]
    assert range_of(many) == (1 / 95, 95.0)


@pytest.mark.parametrize(("covered", "machines"), [(414, 460), (4, 6), (3, 5), (5, 5), (0, 5)])
def test_the_bound_is_exact(covered: int, machines: int) -> None:
    """At the bound, as many covered machines or more come in one case of twenty: the binomial sum is that."""
    p = lower_bound(covered, machines)
    tail = math.fsum(math.comb(machines, k) * p**k * (1 - p) ** (machines - k) for k in range(covered, machines + 1))
    assert tail == pytest.approx(0.05 if covered else 1.0)
    interval = stats.binomtest(covered, machines, alternative="greater").proportion_ci(0.95, method="exact")
    assert p == pytest.approx(interval.low)


def test_the_interval_score_by_hand() -> None:
    width = math.log(1.5 / 0.5)
    assert interval_score(0.5, 1.5, 1.0) == pytest.approx(width)
    assert interval_score(0.5, 1.5, 3.0) == pytest.approx(width + 20 * math.log(2))
    assert interval_score(0.5, 1.5, 0.25) == pytest.approx(width + 20 * math.log(2))


@pytest.mark.parametrize(
    ("name", "short", "architecture"),
    [
        ("Intel(R) Xeon(R) CPU E5-2699 v4 @ 2.20GHz", "Xeon E5-2699 v4", "Broadwell-EP"),
        ("INTEL(R) XEON(R) PLATINUM 8592+", "Xeon Platinum 8592+", "Emerald Rapids"),
        ("AMD EPYC 9R14", "EPYC 9R14", "EPYC 9004"),
        ("Intel(R) Xeon(R) Platinum 8380HL CPU @ 2.90GHz", "Xeon Platinum 8380HL", "Cooper Lake"),
        ("Intel Xeon Gold 6780E,", "Xeon 6780E", "Sierra Forest"),
        ("AMD Ryzen 9 7950X 16-Core Processor", "Ryzen 9 7950X", None),
    ],
)
def test_names_of_processors(name: str, short: str, architecture: str | None) -> None:
    assert (short_name(name), architecture_of_name(short_name(name))) == (short, architecture)
