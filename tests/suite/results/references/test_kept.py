"""The reference machines of the package: readable, without names, and honest about how they were measured."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.results.references.kept import load, load_all, names
from joulemark.suite.stats.machines.baskets import BASKETS
from joulemark.suite.stats.machines.index import indices


def test_every_reference_can_be_read_and_is_described() -> None:
    references = load_all()
    assert {"h200", "epyc-2-cores"} <= set(names()) == {each.name for each in references}
    for each in references:
        assert each.title
        assert each.about.endswith(".")
        assert each.run_file.run.id == each.name
        assert any(case.status == "ok" for case in each.run_file.cases)


def test_no_reference_names_a_host_a_path_or_carries_a_trace() -> None:
    for run in (run for each in load_all() for run in each.runs):
        assert run.machine.hostname.startswith("(left out)")
        assert run.traces == ()
        document = run.model_dump_json()
        assert not [word for word in ("/home/", "/root", "/tmp/", "/work") if word in document]


def test_h200_is_provisional_and_says_why() -> None:
    """Its kept runs have one or two trials of 3 and 5 s; when it is measured anew, this test goes."""
    assert load("h200").caveat == "provisional: 1 to 2 trials a case, in windows of 3 to 5 s"
    assert load("epyc-2-cores").caveat == ""


def test_provisional_stands_wherever_it_is_named() -> None:
    assert load("h200").called == load("h200").run_file.machine.hostname == "NVIDIA H200 (provisional)"
    assert load("epyc-2-cores").called == load("epyc-2-cores").title


def test_reference_is_not_beside_its_own_run() -> None:
    own, other = load("h200").runs[0], load("epyc-2-cores").runs[0]
    assert [each.name for each in load_all(None, [own])] == ["epyc-2-cores"]
    assert {each.name for each in load_all(None, [own, other])} == set(names())  # each is another machine's
    assert [each.name for each in load_all(["h200"], [own])] == ["h200"]  # asked by name


@pytest.mark.parametrize(
    ("name", "basket", "quantities"),
    [
        ("epyc-2-cores", 0, {"speed"}),
        ("h200", 0, {"speed", "items per joule"}),
        ("h200", 1, {"speed", "items per joule"}),
    ],
)
def test_each_reference_has_its_baskets_whole(name: str, basket: int, quantities: set[str]) -> None:
    """Against itself every index is 1, or there is none: its energy is estimated."""
    run = load(name).run_file
    found = [index for index in indices(run, run) if index.basket == BASKETS[basket]]
    assert {index.quantity for index in found if index.value is not None} == quantities
    assert [index.value for index in found if index.value] == pytest.approx([1.0] * sum(1 for i in found if i.value))


def test_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"h100.*h200"):
        load_all(["h200", "h100"])
