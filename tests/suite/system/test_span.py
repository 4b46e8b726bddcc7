"""Which node of several this is, from torchrun's variables."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.system.ranks import span
from joulemark.suite.system.ranks.span import Span

NODE = Span("job", 1, 2, "10.0.0.1", 20_100)


def test_a_node_is_told_by_the_variables_that_it_gives() -> None:
    assert span.find(NODE.variables()) == NODE


@pytest.mark.parametrize("environment", [{}, {"GROUP_WORLD_SIZE": "1"}, {"MASTER_ADDR": "10.0.0.1", "GROUP_RANK": "0"}])
def test_one_node_is_no_span(environment: dict[str, str]) -> None:
    assert span.find(environment) is None


@pytest.mark.parametrize("name", ["TORCHELASTIC_RUN_ID", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"])
def test_what_is_missing_is_named(name: str) -> None:
    variables = NODE.variables()
    del variables[name]
    with pytest.raises(UsageError, match=f"set {name} too"):
        span.find(variables)


@pytest.mark.parametrize(("name", "text"), [("GROUP_RANK", "2"), ("GROUP_RANK", "-1"), ("MASTER_PORT", "x")])
def test_numbers_that_cannot_be_are_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name):
        span.find({**NODE.variables(), name: text})


def test_all_nodes_agree_where_a_trial_meets_and_in_which_order_they_come() -> None:
    other = Span("job", 0, 2, "10.0.0.1", 20_100)
    assert NODE.endpoint("a, round 1") == other.endpoint("a, round 1")
    assert len({NODE.endpoint(f"a, round {number}") for number in range(20)}) > 15
    assert NODE.trial_id("a, round 1") == other.trial_id("a, round 1") != NODE.trial_id("a, round 2")
    assert NODE.order_seed == other.order_seed != Span("another", 0, 2, "10.0.0.1", 20_100).order_seed
    assert 20_000 <= span.first_port("job") < 30_000
