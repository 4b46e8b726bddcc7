"""Thresholds by metric and case: which one counts, and what is refused."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.stats.thresholds import THRESHOLD, Thresholds, parse_thresholds

METRICS = ("throughput", "energy")
TABLE = {
    "throughput": "4%",
    "resnet50*": {"throughput": 0.03, "energy": "off", "memory": "1%"},
    "resnet50:tiny*": {"throughput": "20%"},
}
CASES = ("cnn:small/x", "resnet50:small/x", "resnet50:tiny/x")


def test_only_judged_metrics_have_a_threshold() -> None:
    thresholds = parse_thresholds(METRICS)
    limits = [thresholds.limit(key, "cnn") for key in ("throughput", "energy", "memory")]
    assert limits == [THRESHOLD, THRESHOLD, None]
    assert thresholds.metrics() == METRICS
    assert thresholds.requested == frozenset()


def test_last_matching_pattern_counts() -> None:
    thresholds = parse_thresholds(METRICS, TABLE, "joulemark.toml")
    assert [thresholds.limit("throughput", case) for case in CASES] == [0.04, 0.03, 0.20]
    assert [thresholds.limit("energy", case) for case in CASES] == [THRESHOLD, None, None]
    assert [thresholds.limit("memory", case) for case in CASES] == [None, 0.01, 0.01]
    assert thresholds.metrics() == ("throughput", "energy", "memory")
    assert thresholds.requested == {"throughput", "memory"}


def test_option_overrides_the_file() -> None:
    options = ["throughput:10%", "memory:off", "first_call:50%"]
    thresholds = parse_thresholds(METRICS, TABLE, "joulemark.toml", options)
    assert [thresholds.limit("throughput", case) for case in CASES] == [0.1, 0.1, 0.1]
    assert thresholds.limit("memory", "resnet50:small/x") is None
    assert thresholds.limit("first-call", "cnn:small/x") == 0.5
    assert thresholds.limit("energy", "resnet50:small/x") is None
    assert thresholds.requested == {"throughput", "first-call"}


def test_unmatched_patterns() -> None:
    assert parse_thresholds(METRICS, TABLE).unmatched(["resnet50:small/x", "cnn:small/x"]) == ("resnet50:tiny*",)


def test_of_metrics_uses_the_default_for_others() -> None:
    thresholds = Thresholds.of_metrics({"throughput": 0.1})
    assert (thresholds.limit("throughput", "x"), thresholds.limit("memory", "x")) == (0.1, THRESHOLD)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("throughput", "METRIC:PERCENT"),
        ("throughputt:5%", "'throughput'?"),
        ("throughput:five", "'five'"),
        ("throughput:-1%", "'-1%'"),
        ("throughput:nan", "'nan'"),
        ("throughput:5", "5%"),
        ("throughput:2000%", "'2000%'"),
        ("throughput:", "''"),
    ],
)
def test_wrong_option_is_refused(option: str, text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_thresholds(METRICS, options=[option])
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("table", "texts"),
    [
        ({"resnet": "5%"}, ("thresholds in j.toml", "'resnet'")),
        ({"resnet*": {"speed": "5%"}}, ("thresholds.resnet* in j.toml", "'speed'")),
        ({"energy": True}, ("j.toml", "energy is True")),
        ({"energy": ["5%"]}, ("j.toml", "energy is ['5%']")),
    ],
)
def test_wrong_table_is_refused_with_its_file(table: dict[str, object], texts: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as error:
        parse_thresholds(METRICS, table, "j.toml")
    for text in texts:
        assert text in str(error.value)
