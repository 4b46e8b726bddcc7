"""Which nodes measure, and which goes on with what."""

from __future__ import annotations

import pytest
from local_nodes import node

from joulemark.suite.cluster.choice import assign, choose, usable
from joulemark.suite.cluster.identity import Identity
from joulemark.suite.cluster.job_file import JobFile, Part
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings


def job(*statuses: str) -> JobFile:
    nodes = [node(number) for number in range(len(statuses))]
    parts = [
        Part(number=i, host=each.label, identity=each.identity, status=status)
        for i, (each, status) in enumerate(zip(nodes, statuses, strict=True))
    ]
    return JobFile(id="20261101T120000Z-0001", engine="ray", command=(), settings=Settings(), parts=tuple(parts))


def keys(chosen: dict[int, object]) -> dict[int, str]:
    return {number: each.key for number, each in chosen.items()}


def test_two_on_one_machine_are_one_node() -> None:
    nodes = [node(0), node(1, boot_id="boot0"), node(2)]
    assert [each.key for each in usable(nodes)] == ["0", "2"]
    assert [each.key for each in choose(nodes, None)] == ["0", "2"]


def test_all_have_to_be_usable_unless_fewer_are_asked_for() -> None:
    nodes = [node(0), node(1, identity=None, reason="it has joulemark 0.0")]
    with pytest.raises(UsageError, match=r"1 node of 2 cannot measure: .*it has joulemark 0\.0.*--nodes 1"):
        choose(nodes, None)
    assert [each.key for each in choose(nodes, 1)] == ["0"]
    with pytest.raises(UsageError, match=r"--nodes 2: the cluster has 1 node that can measure \(.*joulemark 0\.0"):
        choose(nodes, 2)


def test_no_node_at_all() -> None:
    with pytest.raises(UsageError, match="the cluster has 0 nodes that can measure"):
        choose([], None)


def test_a_part_goes_on_where_it_was_begun() -> None:
    assert keys(assign(job("ok", "failed", "interrupted"), [node(2), node(1), node(0)])) == {1: "1", 2: "2"}


def test_a_lost_node_is_replaced_by_one_without_a_part() -> None:
    """The node of a part that is measured is not given another one: it would count twice."""
    assert keys(assign(job("ok", "failed"), [node(0), node(7)])) == {1: "7"}
    assert assign(job("ok", "failed"), [node(0)]) == {}


def test_a_booted_node_is_known_again() -> None:
    again = node(5, identity=Identity(machine="machine1", boot_id="another"))
    assert keys(assign(job("ok", "failed"), [again, node(0), node(7)])) == {1: "5"}
