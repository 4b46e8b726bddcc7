"""Nodes that measured the same plan: ratios to the median, and which is an outlier."""

from __future__ import annotations

import math

import pytest
from job_files import node_file
from run_files import case, energy, trial

from joulemark.suite.records import RunFile
from joulemark.suite.results.jobs.compared import Standings, compare_nodes
from joulemark.suite.results.jobs.members import members
from joulemark.suite.results.jobs.total import job_total
from joulemark.suite.results.summary import recompute


def measured(
    rank: int, count: int, rate: float, joules: float = 100.0, workloads: tuple[str, ...] = ("mlp",)
) -> RunFile:
    """Return the file of a node that does `rate` items a second, and takes `joules` in each window of 2 s."""
    cases = [
        case(name, trials=[trial(n, rate * (i + 1), 10.0 * n, length_s=2.0, readings=[energy(joules)]) for n in (1, 2)])
        for i, name in enumerate(workloads)
    ]
    file = node_file(rank, count=count, apart=True)
    file = file.model_copy(update={"cases": tuple(cases)})
    return recompute(file, file.emissions)


def standings(*files: RunFile) -> Standings:
    return compare_nodes(members([(str(i), file) for i, file in enumerate(files)]))


def test_ratios_are_to_the_median() -> None:
    """Rates 100, 200, 400 with equal joules: both ratios are 1/2, 1 and 2."""
    found = standings(*(measured(i, 3, rate) for i, rate in enumerate((100.0, 200.0, 400.0))))
    assert [node.speed for node in found.nodes] == pytest.approx([0.5, 1.0, 2.0])
    assert [node.efficiency for node in found.nodes] == pytest.approx([0.5, 1.0, 2.0])
    assert [node.outlier for node in found.nodes] == [()] * 3
    assert "nobody can say which is wrong" in found.note


def test_only_cases_that_all_measured_count() -> None:
    """Of two cases the nodes share one; the geometric mean over both would give something else."""
    a, b = measured(0, 2, 100.0, workloads=("mlp", "cnn")), measured(1, 2, 400.0)
    found = standings(a, b)
    assert (found.cases, [node.speed for node in found.nodes]) == (1, pytest.approx([0.5, 2.0]))
    assert standings(measured(0, 2, 1.0, workloads=("cnn",)), b).nodes[0].speed is None


def test_a_slow_node_and_one_that_takes_more_energy_are_outliers() -> None:
    rates = [100.0 * (1 + 0.002 * math.sin(i)) for i in range(12)]
    joules = [100.0] * 12
    rates[3] *= 0.9
    joules[7] *= 1.2
    found = standings(
        *(measured(i, 12, rate, joule) for i, (rate, joule) in enumerate(zip(rates, joules, strict=True)))
    )
    slow = [i for i, node in enumerate(found.nodes) if "slow" in node.outlier]
    wasteful = [i for i, node in enumerate(found.nodes) if "takes more energy" in node.outlier]
    assert (slow, wasteful) == ([3], [3, 7])  # the same joules for fewer items
    assert "Rosner" in found.note


def test_an_estimate_is_not_compared() -> None:
    estimated = measured(1, 2, 100.0)
    trials = [trial(1, 100.0, 10.0, length_s=2.0, readings=[energy(100.0, kind="model")])]
    estimated = estimated.model_copy(update={"cases": (case("mlp", trials=trials),)})
    found = standings(measured(0, 2, 100.0), recompute(estimated, estimated.emissions))
    assert [node.efficiency for node in found.nodes] == [None, None]
    assert [node.speed for node in found.nodes] == pytest.approx([1.0, 1.0])


def test_nodes_of_one_thing_are_not_compared() -> None:
    assert job_total(members([("0", node_file(0)), ("1", node_file(1))])).standings is None
