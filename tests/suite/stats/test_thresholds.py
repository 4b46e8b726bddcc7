"""Thresholds by metric and case: which one counts, and what is refused."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.stats.thresholds import THRESHOLD, Thresholds, parse_thresholds

JUDGED = ("throughput", "energy")
TABLE = {
    "throughput": "4%",
    "resnet50*": {"throughput": 0.03, "energy": "off", "memory": "1%"},
    "resnet50:tiny*": {"throughput": "20%"},
}


def test_only_what_is_judged_has_a_threshold() -> None:
    found = parse_thresholds(JUDGED)
    assert [found.limit(key, "cnn") for key in ("throughput", "energy", "memory")] == [THRESHOLD, THRESHOLD, None]
    assert found.metrics() == JUDGED
    assert found.requested == frozenset()


def test_the_last_pattern_that_matches_counts() -> None:
    found = parse_thresholds(JUDGED, TABLE, "joulemark.toml")
    assert found.limit("throughput", "cnn:small/x") == 0.04
    assert found.limit("throughput", "resnet50:small/x") == 0.03
    assert found.limit("throughput", "resnet50:tiny/x") == 0.20
    assert found.limit("energy", "resnet50:tiny/x") is None
    assert found.limit("energy", "cnn:small/x") == THRESHOLD
    assert found.limit("memory", "cnn:small/x") is None
    assert found.metrics() == ("throughput", "energy", "memory")
    assert found.requested == {"throughput", "memory"}


def test_an_option_is_stronger_than_the_file() -> None:
    found = parse_thresholds(JUDGED, TABLE, "joulemark.toml", ["throughput:10%", "memory:off", "first_call:50%"])
    assert {found.limit("throughput", case) for case in ("cnn:small/x", "resnet50:small/x", "resnet50:tiny/x")} == {0.1}
    assert found.limit("memory", "resnet50:small/x") is None
    assert found.limit("first-call", "cnn:small/x") == 0.5
    assert found.limit("energy", "resnet50:small/x") is None
    assert found.requested == {"throughput", "first-call"}


def test_a_pattern_that_matches_nothing_is_found() -> None:
    assert parse_thresholds(JUDGED, TABLE).unmatched(["resnet50:small/x", "cnn:small/x"]) == ("resnet50:tiny*",)


def test_plain_limits_leave_the_usual_one_to_the_rest() -> None:
    found = Thresholds.of_metrics({"throughput": 0.1})
    assert (found.limit("throughput", "x"), found.limit("memory", "x")) == (0.1, THRESHOLD)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("throughput", "METRIC:PERCENT"),
        ("throughputt:5%", "Did you mean 'throughput'?"),
        ("throughput:five", "'five'"),
        ("throughput:-1%", "'-1%'"),
        ("throughput:nan", "'nan'"),
        ("throughput:5", "5 % is written 5%"),
        ("throughput:2000%", "'2000%'"),
        ("throughput:", "''"),
    ],
)
def test_a_wrong_option_is_told(given: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_thresholds(JUDGED, options=[given])
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"resnet": "5%"}, "unknown metric of thresholds in j.toml 'resnet'"),
        ({"resnet*": {"speed": "5%"}}, "unknown metric of thresholds.resnet* in j.toml 'speed'"),
        ({"energy": True}, "j.toml: the threshold of energy is True"),
        ({"energy": ["5%"]}, "j.toml: the threshold of energy is ['5%']"),
    ],
)
def test_a_wrong_table_is_told_with_its_file(table: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_thresholds(JUDGED, table, "j.toml")
    assert words in str(error.value)
