"""The sum of a job is that of its nodes, each joule once, and says what it lacks."""

from __future__ import annotations

import random

import pytest
from job_files import DRAM_W, PACKAGE_W, node_file
from run_files import energy, run_file

from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.jobs.counted_once import remaining
from joulemark.suite.results.jobs.members import members
from joulemark.suite.results.jobs.total import JobTotal, job_total

WATTS = PACKAGE_W + DRAM_W


def total(*files: RunFile) -> JobTotal:
    return job_total(members([(f"{number}.json", file) for number, file in enumerate(files)]))


def missing(*files: RunFile) -> list[tuple[str, str]]:
    return [(entry.what, entry.reason) for entry in total(*files).missing]


def test_the_sum_is_over_nodes_and_components():
    """Two hosts of one name are two machines: their boot ids differ."""
    job = total(node_file(1, windows=((10.0, 3.0),)), node_file(0, windows=((10.0, 2.0), (20.0, 4.0))))
    assert [node.member.node.rank for node in job.nodes] == [0, 1]
    assert [node.energy.energy_j for node in job.nodes] == pytest.approx([6 * WATTS, 3 * WATTS])
    assert job.energy.energy_j == pytest.approx(9 * WATTS)
    assert job.nodes[0].components_j == pytest.approx({"package": 6 * PACKAGE_W, "dram": 6 * DRAM_W})
    assert (job.lower_bound, job.notes) == (False, ())
    # Readings are accurate to +-2 %, and a limit of each is the same way off at worst.
    assert (job.energy.low_j, job.energy.high_j) == pytest.approx((9 * WATTS * 0.98, 9 * WATTS * 1.02))
    assert job.emissions_g == pytest.approx(9 * WATTS / 3.6e6 * 39.22)


def test_a_node_without_a_file_is_named():
    assert missing(node_file(0, count=4), node_file(2, count=4)) == [
        ("node 1", "it has no run file"),
        ("node 3", "it has no run file"),
    ]
    assert missing(node_file(None, count=3)) == [("2 of 3 nodes", "they have no run files")]
    assert total(node_file(0)).energy.energy_j == pytest.approx(2 * WATTS)  # what there is, as a lower bound


def test_the_number_of_nodes_may_be_unknown():
    job = total(node_file(0, count=None))
    assert not job.lower_bound
    assert "would not be noticed" in job.notes[0]


def test_a_rank_that_died_and_a_component_that_was_not_read_are_named():
    lost = [{"local_rank": 1, "rank": 5, "reason": "was killed"}]
    job = (
        node_file(0, readings=(energy(100.0), energy(None, "dram"))),
        node_file(1, lost=lost),
    )
    assert missing(*job) == [("dram of node 0", "absent"), ("rank 5", "it was killed")]
    assert total(*job).energy.energy_j == pytest.approx(100.0 + 2 * WATTS)
    nothing = total(node_file(0, count=1, readings=(energy(None),)))
    assert nothing.energy.energy_j is None
    assert nothing.emissions_g is None


def test_two_files_of_one_machine_share_its_energy():
    """The second window begins 1 s after the first, on one clock: their union lasts 3 s."""
    first = node_file(0, boot_id="one", readings=(energy(2 * PACKAGE_W),))
    second = node_file(1, boot_id="one", readings=(energy(2 * PACKAGE_W),), monotonic_s=1001.0)
    job = total(first, second)
    assert [node.energy.energy_j for node in job.nodes] == pytest.approx([2 * PACKAGE_W, PACKAGE_W], rel=1e-3)
    assert job.nodes[1].counted_before_s == pytest.approx(1.0)
    assert "same machine" in job.notes[0]
    inner = node_file(1, boot_id="one", readings=(energy(PACKAGE_W), energy(None, "dram")), windows=((10.5, 1.0),))
    assert total(node_file(0, boot_id="one"), inner).energy.energy_j == pytest.approx(2 * WATTS)
    assert missing(node_file(0, boot_id="one"), inner) == []  # the other file has its memory


def test_remaining_parts_are_those_of_a_grid():
    draw = random.Random(24)
    for _ in range(50):
        covered = [(a, a + draw.randint(1, 6)) for a in (draw.randint(0, 20) for _ in range(draw.randint(0, 5)))]
        parts = remaining((3.0, 17.0), covered)
        cells = [cell for cell in range(3, 17) if not any(a <= cell < b for a, b in covered)]
        assert [cell for cell in range(3, 17) if any(a <= cell < b for a, b in parts)] == cells
        assert sum(b - a for a, b in parts) == len(cells)


def test_clocks_are_aligned_by_the_shared_mark():
    """Node 1's clock is 2.5 s ahead. Both intervals hold the moment at which all ranks were in the barrier."""
    first = node_file(0, mark_s=(5.0, 5.004))
    second = node_file(1, mark_s=(7.499, 7.505))
    offset = total(first, second).nodes[1].offset
    assert offset.error_s == pytest.approx((0.004 + 0.006) / 2)
    assert abs(offset.offset_s - 2.5) <= offset.error_s
    assert total(first, node_file(1)).nodes[1].offset.offset_s is None


def test_what_is_no_job_is_one_line():
    with pytest.raises(UsageError, match="is no part of a job"):
        total(run_file())
    other = node_file(1, job="ba9876543210")
    with pytest.raises(UsageError, match="of two jobs"):
        total(node_file(0), other)
    assert total(node_file(0, count=1), node_file(0, count=1)).energy.energy_j == pytest.approx(2 * WATTS)  # one run


def test_nodes_without_a_common_time_are_pointed_out():
    later = node_file(1, started_at="2026-11-01T13:00:00Z")
    assert "no time in common" in total(node_file(0), later).notes[0]
